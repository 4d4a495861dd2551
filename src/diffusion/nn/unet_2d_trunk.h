// SPDX-License-Identifier: Apache-2.0
// What UNet2DConditionModel and ControlNetModel have in common: the entrance, the embeddings of
// time and of added conditions, the down path and the middle.
#pragma once

#include <deque>
#include <optional>

#include "diffusion/nn/embeddings.h"
#include "diffusion/nn/unet_2d_blocks.h"
#include "diffusion/nn/unet_2d_config.h"
#include "diffusion/nn/unet_conditions.h"

namespace affiche::diffusion {

// The options of one level's blocks that do not depend on its neighbours.
UNetBlockOptions block_options(const UNet2DConditionConfig& config, std::size_t level);

// Re-entrant. `config` must outlive it.
class UNetTrunk {
 public:
  // `what` names the network in errors.
  UNetTrunk(Parameters& parameters, const UNet2DConditionConfig& config, std::string what);
  UNetTrunk(const UNetTrunk&) = delete;
  UNetTrunk& operator=(const UNetTrunk&) = delete;

  // Embeds time and conditions, in the dtype of the weights. BadInput when shapes do not fit, a
  // condition is missing or has no use; the residuals are not looked at.
  UNetContext context(const at::Tensor& sample, const at::Tensor& timesteps,
                      const at::Tensor& encoder_hidden_states,
                      const UNetConditions& conditions) const;
  // B x in_channels x H x W -> B x block_out_channels[0] x H x W, channels last.
  at::Tensor enter(const at::Tensor& sample) const;
  // The output of the last down block; appends all skips but the entrance's.
  at::Tensor descend(const at::Tensor& hidden, const UNetContext& context,
                     std::vector<at::Tensor>& skips) const;
  at::Tensor middle(const at::Tensor& hidden, const UNetContext& context) const;
  at::ScalarType dtype() const { return conv_in_.weight().scalar_type(); }
  bool has_middle() const { return mid_.has_value(); }

 private:
  void check_conditions(std::int64_t batch, const UNetConditions& conditions) const;
  void expect(const at::Tensor& given, bool wanted, const char* name, const char* key,
              at::IntArrayRef shape) const;
  at::Tensor added_embedding(const UNetConditions& conditions) const;

  const UNet2DConditionConfig& config_;
  std::string what_;
  Conv2d conv_in_;
  TimestepEmbedding time_embedding_;
  std::optional<Embedding> class_embedding_;
  std::optional<TimestepEmbedding> add_embedding_;
  std::deque<UNetDownBlock> down_;
  std::optional<UNetMidBlock> mid_;
};

}  // namespace affiche::diffusion
