// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/layers.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.h"
#include "diffusion/kernels/group_norm.h"
#include "diffusion/nn/low_rank_branch.h"

namespace affiche::diffusion {
namespace {

// The weight for an input of another dtype; the same tensor when none differs.
at::Tensor fitting(const at::Tensor& weight, const at::Tensor& x) {
  return weight.defined() ? weight.to(x.scalar_type()) : weight;
}

}  // namespace

Linear::Linear(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
               bool bias) {
  parameters.add(name + ".weight", weight_, {out, in});
  if (bias) parameters.add(name + ".bias", bias_, {out});
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  const at::Tensor y = at::linear(x, fitting(weight_, x), fitting(bias_, x));
  const LowRankBranch* branch = branch_beside(weight_);
  if (branch == nullptr) return y;
  const at::Tensor reduced = at::linear(x, fitting(branch->down, x));
  const at::Tensor up = fitting(branch->up, x);
  if (x.dim() < 2) return y + at::linear(reduced, up);
  // One pass over y: the product adds to it.
  return at::addmm(y.flatten(0, -2), reduced.flatten(0, -2), up.t()).view(y.sizes());
}

Conv2d::Conv2d(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
               std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool bias)
    : stride_(stride), padding_(padding) {
  parameters.add(name + ".weight", weight_, {out, in, kernel, kernel});
  if (bias) parameters.add(name + ".bias", bias_, {out});
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  // A weight in another order than the input's would decide the output's order.
  const at::Tensor weight = fitting(weight_, x).contiguous(x.suggest_memory_format());
  const at::Tensor y =
      at::conv2d(x, weight, fitting(bias_, x), {stride_, stride_}, {padding_, padding_});
  const LowRankBranch* branch = branch_beside(weight_);
  if (branch == nullptr) return y;
  const at::Tensor down = fitting(branch->down, x).contiguous(x.suggest_memory_format());
  return y + at::conv2d(at::conv2d(x, down, {}, {stride_, stride_}, {padding_, padding_}),
                        fitting(branch->up, x));
}

GroupNorm::GroupNorm(Parameters& parameters, const std::string& name, std::int64_t groups,
                     std::int64_t channels, double eps, NormSums sums)
    : groups_(groups), eps_(eps), sums_(sums) {
  if (channels % groups != 0) {
    fail(Cause::BadInput, "\"norm_num_groups\": ", groups, " groups do not divide the ", channels,
         " channels of ", name);
  }
  parameters.add(name + ".weight", weight_, {channels});
  parameters.add(name + ".bias", bias_, {channels});
}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  const at::Tensor weight = fitting(weight_, x), bias = fitting(bias_, x);
  const bool tracked = c10::GradMode::is_enabled() &&
                       (x.requires_grad() || weight.requires_grad() || bias.requires_grad());
  if (sums_ == NormSums::Exact && !tracked && x.dim() == 4 && x.device().is_cpu() &&
      x.scalar_type() == at::kFloat &&
      x.suggest_memory_format() == at::MemoryFormat::ChannelsLast) {
    return group_norm_channels_last(x, groups_, weight, bias, eps_);
  }
  return at::group_norm(x, groups_, weight, bias, eps_);
}

LayerNorm::LayerNorm(Parameters& parameters, const std::string& name, std::int64_t width,
                     double eps)
    : width_(width), eps_(eps) {
  parameters.add(name + ".weight", weight_, {width});
  parameters.add(name + ".bias", bias_, {width});
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {width_}, fitting(weight_, x), fitting(bias_, x), eps_);
}

Embedding::Embedding(Parameters& parameters, const std::string& name, std::int64_t count,
                     std::int64_t width) {
  parameters.add(name + ".weight", weight_, {count, width});
}

at::Tensor Embedding::operator()(const at::Tensor& indices) const {
  return at::embedding(weight_, indices);
}

}  // namespace affiche::diffusion
