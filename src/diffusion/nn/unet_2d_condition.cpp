// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_condition.h"

#include <ATen/ATen.h>

#include <deque>
#include <optional>

#include "base/error.h"
#include "diffusion/nn/unet_2d_trunk.h"

namespace affiche::diffusion {
namespace {

constexpr const char* kWhat = "UNet2DConditionModel";

// `residual` as it is added to `to`; pooled ones hold one value per channel.
at::Tensor fitting(const at::Tensor& residual, const at::Tensor& to, const char* name) {
  const bool fits =
      residual.defined() && residual.dim() == 4 && residual.size(0) == to.size(0) &&
      residual.size(1) == to.size(1) &&
      (residual.sizes() == to.sizes() || (residual.size(2) == 1 && residual.size(3) == 1));
  if (!fits) {
    fail(Cause::BadInput, kWhat, ": \"", name, "\": expected a tensor of ", to.sizes(), ", found ",
         residual.defined() ? concat(residual.sizes()) : std::string("none"),
         "; the ControlNet belongs to another family of models");
  }
  return residual.to(to.scalar_type());
}

void add_residuals(std::vector<at::Tensor>& skips, const UNetConditions& conditions) {
  const std::vector<at::Tensor>& residuals = conditions.down_block_additional_residuals;
  if (residuals.empty() && !conditions.mid_block_additional_residual.defined()) return;
  if (residuals.size() != skips.size()) {
    fail(Cause::BadInput, kWhat, ": \"down_block_additional_residuals\": expected ", skips.size(),
         " tensors, found ", residuals.size(),
         "; the ControlNet belongs to another family of models");
  }
  for (std::size_t i = 0; i < skips.size(); ++i) {
    skips[i] = skips[i] + fitting(residuals[i], skips[i], "down_block_additional_residuals");
  }
}

}  // namespace

struct UNet2DConditionModel::Net {
  Net(Parameters& parameters, const UNet2DConditionConfig& config)
      : trunk(parameters, config, kWhat) {
    const auto& channels = config.block_out_channels;
    const std::size_t levels = config.levels();
    for (std::size_t i = 0; i < levels; ++i) {
      const std::size_t level = levels - 1 - i;
      UNetBlockOptions options = block_options(config, level);
      options.in = channels[i > 0 ? level + 1 : level];
      options.skip = channels[level > 0 ? level - 1 : 0];
      options.layers += 1;
      options.resample = i + 1 < levels;
      options.attention = config.up_attention[i];
      up.emplace_back(parameters, concat("up_blocks.", i), options);
    }
    norm_out.emplace(parameters, "conv_norm_out", config.norm_num_groups, channels.front(),
                     config.norm_eps);
    conv_out.emplace(parameters, "conv_out", channels.front(), config.out_channels,
                     config.conv_out_kernel, 1, (config.conv_out_kernel - 1) / 2);
  }

  UNetTrunk trunk;
  std::deque<UNetUpBlock> up;
  std::optional<GroupNorm> norm_out;
  std::optional<Conv2d> conv_out;
};

UNet2DConditionModel::UNet2DConditionModel(const UNet2DConditionConfig& config)
    : config_(config), net_(std::make_unique<Net>(parameters_, config_)) {}

UNet2DConditionModel::~UNet2DConditionModel() = default;

at::Tensor UNet2DConditionModel::forward(const at::Tensor& sample, const at::Tensor& timesteps,
                                         const at::Tensor& encoder_hidden_states,
                                         const UNetConditions& conditions) const {
  const UNetTrunk& trunk = net_->trunk;
  const UNetContext context = trunk.context(sample, timesteps, encoder_hidden_states, conditions);
  std::vector<at::Tensor> skips = {trunk.enter(sample)};
  at::Tensor hidden = trunk.descend(skips.front(), context, skips);
  add_residuals(skips, conditions);
  hidden = trunk.middle(hidden, context);
  if (!conditions.down_block_additional_residuals.empty()) {
    hidden = hidden + fitting(conditions.mid_block_additional_residual, hidden,
                              "mid_block_additional_residual");
  }
  for (const UNetUpBlock& block : net_->up) hidden = block(hidden, context, skips);
  hidden = (*net_->conv_out)(at::silu((*net_->norm_out)(hidden)));
  // Back to the usual order, in which callers draw noise.
  return hidden.to(sample.scalar_type()).contiguous();
}

}  // namespace affiche::diffusion
