// SPDX-License-Identifier: Apache-2.0
// Standard normal noise exactly as diffusers' randn_tensor draws it from CPU generators.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace affiche::diffusion {

// Not thread-safe: one for each request.
class Noise {
 public:
  // One seed: a single generator draws whole batches. Several: the i-th generator draws for the
  // i-th picture of every batch, so that a picture does not depend on its neighbours.
  Noise(const std::vector<std::int64_t>& seeds, at::ScalarType dtype, at::Device device);

  // N x ...; with several seeds N must be their number (Internal otherwise). Drawn on the CPU in
  // the pipeline's dtype, as the reference does: noise in fp16 is not rounded fp32 noise.
  at::Tensor draw(at::IntArrayRef shape);

 private:
  std::vector<at::Generator> generators_;
  at::ScalarType dtype_;
  at::Device device_;
};

}  // namespace affiche::diffusion
