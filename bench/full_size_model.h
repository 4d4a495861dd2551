// SPDX-License-Identifier: Apache-2.0
// Models of the published sizes with random weights, to measure with.
#pragma once

#include <c10/core/ScalarType.h>

#include <filesystem>

#include "bench/full_size_configs.h"
#include "diffusion/nn/parameters.h"

namespace affiche::bench {

// Writes a diffusers folder. Every tensor is drawn alone and written at once, so that memory stays
// small. The same `seed` gives the same files.
void write_full_size_model(const FullSizeConfigs& configs, at::ScalarType dtype, std::uint64_t seed,
                           const std::filesystem::path& out);

// Gives every slot such weights.
void fill_random(diffusion::Parameters& parameters, at::ScalarType dtype, std::uint64_t seed);

}  // namespace affiche::bench
