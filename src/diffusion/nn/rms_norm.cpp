// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/rms_norm.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {

RMSNorm::RMSNorm(Parameters& parameters, const std::string& name, std::int64_t width, double eps)
    : eps_(eps) {
  parameters.add(name + ".weight", weight_, {width});
}

at::Tensor RMSNorm::operator()(const at::Tensor& x) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor normed = wide * at::rsqrt(wide.pow(2).mean(-1, true) + eps_);
  return normed.to(x.scalar_type()) * weight_.to(x.scalar_type());
}

}  // namespace affiche::diffusion
