// SPDX-License-Identifier: Apache-2.0
// ControlNetModel: a copy of a UNet's down path and middle that also sees a picture, and tells the
// UNet what to add to its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/nn/parameters.h"
#include "diffusion/nn/unet_2d_config.h"
#include "diffusion/nn/unet_conditions.h"

namespace affiche::diffusion {

struct ControlNetConfig {
  UNet2DConditionConfig trunk;  // what it has in common with the UNet
  std::int64_t conditioning_channels = 3;
  // Widths of the layers that bring the picture down to latents; each but the first halves it.
  std::vector<std::int64_t> conditioning_embedding_out_channels;
  bool bgr = false;  // controlnet_conditioning_channel_order: turns the picture's channels round
  // Results are means over height and width. Pipelines run such a model in guess mode.
  bool global_pool_conditions = false;

  // A diffusers config.json; defaults as in diffusers. Options that are not built are refused by
  // their key: BadInput.
  static ControlNetConfig from_json(const nlohmann::ordered_json& json);
  // Pixels of the picture per latent, in each direction.
  std::int64_t scale() const {
    return std::int64_t{1} << (conditioning_embedding_out_channels.size() - 1);
  }
};

// In the dtype of the weights; what UNetConditions takes. Several ControlNets' outputs add up.
struct ControlNetOutput {
  std::vector<at::Tensor> down_block_res_samples;  // one per skip of the UNet
  at::Tensor mid_block_res_sample;
};

// Re-entrant: may run in several threads at once. Differentiable.
class ControlNetModel {
 public:
  // BadInput when the config's numbers do not fit together.
  explicit ControlNetModel(const ControlNetConfig& config);
  ~ControlNetModel();
  ControlNetModel(const ControlNetModel&) = delete;
  ControlNetModel& operator=(const ControlNetModel&) = delete;

  // sample, timesteps, encoder_hidden_states: as UNet2DConditionModel::forward takes them, `added`
  // too, without residuals.
  //   controlnet_cond     B (or 1) x conditioning_channels x H * scale x W * scale in [0, 1]
  //   conditioning_scale  times the results
  //   guess_mode          results weigh from 0.1 at the entrance to 1 in the middle
  // BadInput when shapes do not fit, or a condition is missing or has no use.
  ControlNetOutput forward(const at::Tensor& sample, const at::Tensor& timesteps,
                           const at::Tensor& encoder_hidden_states,
                           const at::Tensor& controlnet_cond, double conditioning_scale,
                           bool guess_mode, const UNetConditions& added = {}) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const ControlNetConfig& config() const { return config_; }

 private:
  struct Net;
  ControlNetOutput weighed(const std::vector<at::Tensor>& skips, const at::Tensor& middle,
                           double conditioning_scale, bool guess_mode) const;
  ControlNetConfig config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
