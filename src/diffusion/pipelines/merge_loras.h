// SPDX-License-Identifier: Apache-2.0
// LoRA files made part of a model's weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/checkpoints/convert.h"
#include "diffusion/lora/adapters.h"

namespace affiche::diffusion {

struct MergedModel {
  std::vector<LoraReport> loras;  // one per use
  std::vector<std::string> warnings;
};

// Writes the model `from` to `to` with W + sum over uses of delta(W, weight) in place of W,
// computed in float32 and rounded once, to the dtype that W has. The target appears whole or not at
// all. Errors as open_checkpoint(), convert_model() and AdapterStack::apply().
MergedModel merge_loras(const std::filesystem::path& from, const std::filesystem::path& to,
                        const std::vector<LoraUse>& uses, const ConvertOptions& options);

}  // namespace affiche::diffusion
