// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/noise.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "base/error.h"

namespace affiche::diffusion {

Noise::Noise(const std::vector<std::int64_t>& seeds, at::ScalarType dtype, at::Device device)
    : dtype_(dtype), device_(device) {
  for (const std::int64_t seed : seeds) {
    generators_.push_back(
        at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed)));
  }
}

at::Tensor Noise::draw(at::IntArrayRef shape) {
  const at::TensorOptions options = at::TensorOptions().dtype(dtype_);
  if (generators_.size() == 1) return at::randn(shape, generators_[0], options).to(device_);
  if (shape.empty() || shape[0] != static_cast<std::int64_t>(generators_.size())) {
    fail(Cause::Internal, "noise for ", generators_.size(), " pictures: asked for another batch");
  }
  std::vector<std::int64_t> one(shape.begin(), shape.end());
  one[0] = 1;
  std::vector<at::Tensor> pictures;
  for (at::Generator& generator : generators_) {
    pictures.push_back(at::randn(one, generator, options));
  }
  return at::cat(pictures).to(device_);
}

}  // namespace affiche::diffusion
