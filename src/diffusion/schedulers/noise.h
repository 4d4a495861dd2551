// SPDX-License-Identifier: Apache-2.0
// Random tensors as diffusers' randn_tensor draws them.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace affiche::diffusion {

// Unit normal noise of the given shape (first dimension: images), drawn on the CPU in `dtype` and
// moved to `device`. One generator draws the whole batch at once; one per image draw 1 x … each.
// Usage for another number of generators.
at::Tensor randn(at::IntArrayRef shape, std::span<const at::Generator> generators,
                 at::ScalarType dtype, at::Device device);
// A CPU generator with a seed, as torch.Generator("cpu").manual_seed(seed).
at::Generator seeded(std::uint64_t seed);

}  // namespace affiche::diffusion
