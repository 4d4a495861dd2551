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

}  // namespace affiche::diffusion
