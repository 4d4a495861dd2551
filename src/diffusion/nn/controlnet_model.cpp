// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/controlnet_model.h"

#include <ATen/ATen.h>

#include <deque>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/unet_2d_trunk.h"

namespace affiche::diffusion {
namespace {

constexpr const char* kWhat = "ControlNetModel";
constexpr std::size_t kMostEmbeddingLayers = 8;

// A picture to features of the size of latents.
class ConditioningEmbedding {
 public:
  ConditioningEmbedding(Parameters& parameters, const std::string& name,
                        const ControlNetConfig& config)
      : conv_in_(parameters, name + ".conv_in", config.conditioning_channels,
                 config.conditioning_embedding_out_channels.front(), 3, 1, 1),
        conv_out_(parameters, name + ".conv_out", config.conditioning_embedding_out_channels.back(),
                  config.trunk.block_out_channels.front(), 3, 1, 1) {
    const auto& widths = config.conditioning_embedding_out_channels;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      blocks_.emplace_back(parameters, concat(name, ".blocks.", 2 * i), widths[i], widths[i], 3, 1,
                           1);
      blocks_.emplace_back(parameters, concat(name, ".blocks.", 2 * i + 1), widths[i],
                           widths[i + 1], 3, 2, 1);
    }
  }
  at::Tensor operator()(const at::Tensor& picture) const {
    at::Tensor hidden = at::silu(conv_in_(picture));
    for (const Conv2d& block : blocks_) hidden = at::silu(block(hidden));
    return conv_out_(hidden);
  }

 private:
  Conv2d conv_in_;
  std::deque<Conv2d> blocks_;
  Conv2d conv_out_;
};

}  // namespace

ControlNetConfig ControlNetConfig::from_json(const Json& json) {
  ConfigReader reader(json, "ControlNetModel config");
  ControlNetConfig config;
  config.trunk.read_trunk(reader);
  if (!config.trunk.mid_block) reader.refuse("mid_block_type", "a ControlNet needs a middle");
  if (reader.has("num_attention_heads")) {
    config.trunk.heads = reader.per_level("num_attention_heads", config.trunk.levels(), 8);
  }
  config.conditioning_channels = reader.integer("conditioning_channels", 3);
  config.conditioning_embedding_out_channels =
      reader.integers("conditioning_embedding_out_channels", {16, 32, 96, 256});
  if (config.conditioning_embedding_out_channels.size() > kMostEmbeddingLayers) {
    reader.refuse("conditioning_embedding_out_channels",
                  concat("expected at most ", kMostEmbeddingLayers, " numbers"));
  }
  const std::string order = reader.text("controlnet_conditioning_channel_order", "rgb");
  if (order != "rgb" && order != "bgr") {
    reader.refuse("controlnet_conditioning_channel_order", "expected \"rgb\" or \"bgr\"");
  }
  config.bgr = order == "bgr";
  config.global_pool_conditions = reader.flag("global_pool_conditions", false);
  reader.finish();
  return config;
}

struct ControlNetModel::Net {
  Net(Parameters& parameters, const ControlNetConfig& config)
      : trunk(parameters, config.trunk, kWhat),
        picture(parameters, "controlnet_cond_embedding", config),
        mid(parameters, "controlnet_mid_block", config.trunk.block_out_channels.back(),
            config.trunk.block_out_channels.back(), 1) {
    const auto add = [&](std::int64_t width) {
      down.emplace_back(parameters, concat("controlnet_down_blocks.", down.size()), width, width,
                        1);
    };
    const auto& widths = config.trunk.block_out_channels;
    add(widths.front());  // for the entrance
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool downsampler = i + 1 < widths.size();
      for (std::int64_t j = 0; j < config.trunk.layers_per_block[i]; ++j) add(widths[i]);
      if (downsampler) add(widths[i]);
    }
  }

  UNetTrunk trunk;
  ConditioningEmbedding picture;
  std::deque<Conv2d> down;
  Conv2d mid;
};

ControlNetModel::ControlNetModel(const ControlNetConfig& config)
    : config_(config), net_(std::make_unique<Net>(parameters_, config_)) {}

ControlNetModel::~ControlNetModel() = default;

ControlNetOutput ControlNetModel::forward(const at::Tensor& sample, const at::Tensor& timesteps,
                                          const at::Tensor& encoder_hidden_states,
                                          const at::Tensor& controlnet_cond,
                                          double conditioning_scale, bool guess_mode,
                                          const UNetConditions& added) const {
  const UNetTrunk& trunk = net_->trunk;
  const UNetContext context = trunk.context(sample, timesteps, encoder_hidden_states, added);
  if (!added.down_block_additional_residuals.empty() ||
      added.mid_block_additional_residual.defined()) {
    fail(Cause::BadInput, kWhat, ": residuals are given, but only the UNet takes them");
  }
  const std::int64_t scale = config_.scale();
  const bool fits = controlnet_cond.defined() && controlnet_cond.dim() == 4 &&
                    (controlnet_cond.size(0) == 1 || controlnet_cond.size(0) == sample.size(0)) &&
                    controlnet_cond.size(1) == config_.conditioning_channels &&
                    controlnet_cond.size(2) == scale * sample.size(2) &&
                    controlnet_cond.size(3) == scale * sample.size(3);
  if (!fits) {
    fail(Cause::BadInput, kWhat, ": expected a control picture of B x ",
         config_.conditioning_channels, " x ", scale * sample.size(2), " x ",
         scale * sample.size(3), ", found ",
         controlnet_cond.defined() ? concat(controlnet_cond.sizes()) : std::string("none"));
  }
  const at::Tensor picture = config_.bgr ? controlnet_cond.flip({1}) : controlnet_cond;
  std::vector<at::Tensor> skips = {
      trunk.enter(sample) +
      net_->picture(picture.to(trunk.dtype()).contiguous(at::MemoryFormat::ChannelsLast))};
  const at::Tensor hidden = trunk.middle(trunk.descend(skips.front(), context, skips), context);
  return weighed(skips, hidden, conditioning_scale, guess_mode);
}

ControlNetOutput ControlNetModel::weighed(const std::vector<at::Tensor>& skips,
                                          const at::Tensor& middle, double conditioning_scale,
                                          bool guess_mode) const {
  const auto count = static_cast<std::int64_t>(skips.size());
  const bool rising = guess_mode && !config_.global_pool_conditions;
  const at::Tensor scales =
      (rising ? at::logspace(-1, 0, count + 1, 10.0, at::kFloat) : at::ones({count + 1})) *
      conditioning_scale;
  const auto finished = [&](const at::Tensor& result, std::int64_t i) {
    const at::Tensor scaled = result * scales[i].item<float>();
    return config_.global_pool_conditions ? scaled.mean({2, 3}, true) : scaled;
  };
  ControlNetOutput output;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    output.down_block_res_samples.push_back(finished(net_->down[at](skips[at]), i));
  }
  output.mid_block_res_sample = finished(net_->mid(middle), count);
  return output;
}

}  // namespace affiche::diffusion
