// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/noise.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "base/error.h"

namespace affiche::diffusion {

at::Tensor randn(at::IntArrayRef shape, std::span<const at::Generator> generators,
                 at::ScalarType dtype, at::Device device) {
  const at::TensorOptions options = at::TensorOptions().dtype(dtype).device(at::kCPU);
  const auto images = static_cast<std::size_t>(shape.empty() ? 1 : shape[0]);
  if (generators.size() == 1) {
    return at::randn(shape, generators[0], options).to(device);
  }
  if (generators.size() != images) {
    fail(Cause::Usage, "noise: expected one random generator per image (", images, "), found ",
         generators.size());
  }
  std::vector<std::int64_t> one(shape.begin(), shape.end());
  one[0] = 1;
  std::vector<at::Tensor> parts;
  for (const at::Generator& generator : generators) {
    parts.push_back(at::randn(one, generator, options));
  }
  return at::cat(parts).to(device);
}

at::Generator seeded(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

}  // namespace affiche::diffusion
