// SPDX-License-Identifier: Apache-2.0
// UNet2DConditionModel of the Stable Diffusion 1.x, 2.x and XL families, with the inputs of LCM, of
// inpainting models, of the x4 upscaler and of ControlNets.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "diffusion/nn/parameters.h"
#include "diffusion/nn/unet_2d_config.h"
#include "diffusion/nn/unet_conditions.h"

namespace affiche::diffusion {

// Re-entrant: may run in several threads at once. Differentiable.
class UNet2DConditionModel {
 public:
  // BadInput when the config's numbers do not fit together.
  explicit UNet2DConditionModel(const UNet2DConditionConfig& config);
  ~UNet2DConditionModel();
  UNet2DConditionModel(const UNet2DConditionModel&) = delete;
  UNet2DConditionModel& operator=(const UNet2DConditionModel&) = delete;

  // What the network predicts (noise or velocity), B x out_channels x H x W in the dtype of
  // `sample`; computed in the dtype of the weights.
  //   sample                 B x in_channels x H x W, any H and W
  //   timesteps              B, or one for the whole batch; integer or fractional
  //   encoder_hidden_states  B x T x cross_attention_dim
  //   conditions             what else the config asks for, and a ControlNet's residuals
  // BadInput when batch sizes or widths do not fit, or a condition is missing or has no use.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timesteps,
                     const at::Tensor& encoder_hidden_states,
                     const UNetConditions& conditions = {}) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const UNet2DConditionConfig& config() const { return config_; }

 private:
  struct Net;
  UNet2DConditionConfig config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
