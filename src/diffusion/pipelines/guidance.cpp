// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/guidance.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {

at::Tensor guide(const at::Tensor& both, double scale, double rescale) {
  const std::vector<at::Tensor> halves = both.chunk(2);
  const at::Tensor& negative = halves[0];
  const at::Tensor& positive = halves[1];
  const at::Tensor guided = negative + scale * (positive - negative);
  if (rescale <= 0) return guided;
  const std::vector<std::int64_t> picture = {1, 2, 3};
  const at::Tensor wanted = positive.std(picture, true, true);
  const at::Tensor rescaled = guided * (wanted / guided.std(picture, true, true));
  return rescale * rescaled + (1 - rescale) * guided;
}

at::Tensor guidance_scale_embedding(double scale, std::int64_t width) {
  // In diffusers' order of float32 operations: at such large angles another order is another sine.
  const at::Tensor w = at::full({1}, scale - 1, at::kFloat) * 1000.0;
  const std::int64_t half = width / 2;
  const at::Tensor step = at::log(at::full({}, 10000.0, at::kFloat)) / (half - 1);
  const at::Tensor frequency = at::exp(at::arange(half, at::kFloat) * -step);
  const at::Tensor angle = w.unsqueeze(1) * frequency.unsqueeze(0);
  const at::Tensor result = at::cat({angle.sin(), angle.cos()}, 1);
  return width % 2 == 1 ? at::constant_pad_nd(result, {0, 1}) : result;
}

}  // namespace affiche::diffusion
