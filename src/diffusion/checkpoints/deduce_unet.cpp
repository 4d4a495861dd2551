// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "diffusion/checkpoints/deduce.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/shapes.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kGroups = 32;
constexpr std::int64_t kHeads = 8;      // SD 1.x, and the x4 upscaler
constexpr std::int64_t kHeadSize = 64;  // SD 2.x, SDXL
// Each of the six sizes in SDXL's time ids is embedded in this width.
constexpr std::int64_t kTimeIdWidth = 256;

// What every network with a UNet's way down states.
class WayDown {
 public:
  WayDown(const StateDict& tensors, std::string what) : shapes_(tensors, std::move(what)) {
    for (std::size_t level = 0;; ++level) {
      const std::string resnets = concat("down_blocks.", level, ".resnets.");
      const std::int64_t count = count_tensors(tensors, resnets, ".conv1.weight");
      if (count == 0) break;
      layers_.push_back(count);
      widths_.push_back(shapes_.size(resnets + "0.conv1.weight", 0));
      read_attention(concat("down_blocks.", level, ".attentions.0."), level);
    }
    if (widths_.empty()) {
      fail(Cause::BadInput, shapes_.what(), ": expected the tensor ",
           "\"down_blocks.0.resnets.0.conv1.weight\", found none; this is no UNet");
    }
    // The middle has the last level's depth, which that level, often without attention, cannot say.
    const std::string middle = "mid_block.attentions.0.";
    if (has_prefix(tensors, middle)) {
      depths_.back() = depth(middle);
      read_kind(middle);
    }
  }

  Json stated() const {
    Json config = {{"in_channels", shapes_.size("conv_in.weight", 1)},
                   {"block_out_channels", widths_},
                   {"layers_per_block", one_or_list(layers_)},
                   {"transformer_layers_per_block", one_or_list(depths_)},
                   {"down_block_types", down_types_},
                   {"use_linear_projection", linear_}};
    if (cross_) config["cross_attention_dim"] = *cross_;
    config["mid_block_type"] = middle_type();
    const bool only = std::find(only_cross_.begin(), only_cross_.end(), true) != only_cross_.end();
    config["only_cross_attention"] = only ? Json(only_cross_) : Json(false);
    add_embeddings(config);
    return config;
  }

  std::vector<std::int64_t> heads() const {
    std::vector<std::int64_t> result;
    const bool by_number = !linear_ || shapes_.has("class_embedding.weight");
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      const std::int64_t width = widths_[i];
      result.push_back(by_number ? kHeads : std::max<std::int64_t>(1, width / kHeadSize));
      if (width % result.back() == 0 &&
          (by_number || width < kHeadSize || width % kHeadSize == 0)) {
        continue;
      }
      fail(Cause::BadInput, shapes_.what(), ": expected widths that are multiples of ",
           by_number ? kHeads : kHeadSize, ", found ", width,
           "; this file does not say how many heads its attention has: give the model as a folder "
           "with config.json, or the file in place of a part of such a folder");
    }
    return result;
  }

  Json assumed(const DeduceOptions& options) const {
    shapes_.check_groups(widths_, kGroups);
    return {{"act_fn", "silu"},
            {"attention_head_dim", one_or_list(heads())},
            {"flip_sin_to_cos", true},
            {"freq_shift", 0},
            {"norm_eps", 1e-5},
            {"norm_num_groups", kGroups},
            {"sample_size", options.sample_size},
            {"upcast_attention", options.upcast_attention && linear_}};
  }

  const Shapes& shapes() const { return shapes_; }

 private:
  std::int64_t depth(const std::string& attention) const {
    return count_tensors(shapes_.tensors(), attention + "transformer_blocks.", ".norm1.weight");
  }

  void read_kind(const std::string& attention) {
    shapes_.size(attention + "proj_in.weight", 1);
    linear_ = shapes_.tensors().at(attention + "proj_in.weight").dim() == 2;
    if (!cross_) cross_ = shapes_.size(attention + "transformer_blocks.0.attn2.to_k.weight", 1);
  }

  void read_attention(const std::string& attention, std::size_t level) {
    const bool attends = has_prefix(shapes_.tensors(), attention);
    down_types_.push_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
    depths_.push_back(attends ? std::max<std::int64_t>(1, depth(attention)) : 1);
    only_cross_.push_back(false);
    if (!attends) return;
    read_kind(attention);
    // Self-attention that takes its keys from the text has the text's width.
    const std::string keys = attention + "transformer_blocks.0.attn1.to_k.weight";
    only_cross_.back() = shapes_.size(keys, 1) != widths_[level];
  }

  Json middle_type() const {
    if (has_prefix(shapes_.tensors(), "mid_block.attentions.")) return "UNetMidBlock2DCrossAttn";
    if (has_prefix(shapes_.tensors(), "mid_block.")) return "UNetMidBlock2D";
    return nullptr;
  }

  // Null where the network has none: a configuration that is taken over may say otherwise.
  void add_embeddings(Json& config) const {
    const auto width = [&](const char* name, std::int64_t dimension) {
      return shapes_.has(name) ? Json(shapes_.size(name, dimension)) : Json();
    };
    const bool added = shapes_.has("add_embedding.linear_1.weight");
    config["num_class_embeds"] = width("class_embedding.weight", 0);
    config["addition_embed_type"] = added ? Json("text_time") : Json();
    config["addition_time_embed_dim"] = added ? Json(kTimeIdWidth) : Json();
    config["projection_class_embeddings_input_dim"] = width("add_embedding.linear_1.weight", 1);
    config["time_cond_proj_dim"] = width("time_embedding.cond_proj.weight", 1);
    const std::int64_t time = shapes_.size("time_embedding.linear_1.weight", 0);
    config["time_embedding_dim"] = time == 4 * widths_.front() ? Json() : Json(time);
    config["conv_in_kernel"] = shapes_.size("conv_in.weight", 2);
  }

  Shapes shapes_;
  std::vector<std::int64_t> widths_, layers_, depths_;
  std::vector<std::string> down_types_;
  std::vector<bool> only_cross_;
  std::optional<std::int64_t> cross_;
  bool linear_ = false;
};

}  // namespace

Json deduce_unet(const StateDict& tensors, const DeduceOptions& options) {
  const WayDown down(tensors, options.what);
  Json stated = down.stated();
  Json up_types = Json::array();
  for (std::size_t i = 0; i < stated["block_out_channels"].size(); ++i) {
    const bool attends = has_prefix(tensors, concat("up_blocks.", i, ".attentions.0."));
    up_types.push_back(attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  stated["up_block_types"] = std::move(up_types);
  stated["out_channels"] = down.shapes().size("conv_out.weight", 0);
  stated["conv_out_kernel"] = down.shapes().size("conv_out.weight", 2);
  Json config = completed(std::move(stated), options.like, [&] { return down.assumed(options); });
  config["_class_name"] = "UNet2DConditionModel";
  return config;
}

Json deduce_controlnet(const StateDict& tensors, const DeduceOptions& options) {
  const WayDown down(tensors, options.what);
  const Shapes& shapes = down.shapes();
  Json stated = down.stated();
  for (const char* key : {"conv_in_kernel", "time_cond_proj_dim", "time_embedding_dim"}) {
    stated.erase(key);  // a ControlNet has none of these choices
  }
  const std::string hint = "controlnet_cond_embedding.";
  stated["conditioning_channels"] = shapes.size(hint + "conv_in.weight", 1);
  // The first convolution's width, then that of every second one.
  std::vector<std::int64_t> widths = {shapes.size(hint + "conv_in.weight", 0)};
  const std::int64_t blocks = count_tensors(tensors, hint + "blocks.", ".weight");
  for (std::int64_t i = 1; i < blocks; i += 2) {
    widths.push_back(shapes.size(concat(hint, "blocks.", i, ".weight"), 0));
  }
  stated["conditioning_embedding_out_channels"] = widths;
  // `like` may be the UNet that this network belongs to: only what both have is taken from it.
  Json shared = Json::object();
  if (options.like != nullptr && options.like->is_object()) {
    for (const char* key : {"act_fn", "attention_head_dim", "block_out_channels", "flip_sin_to_cos",
                            "freq_shift", "norm_eps", "norm_num_groups", "upcast_attention"}) {
      if (options.like->contains(key)) shared[key] = (*options.like)[key];
    }
  }
  Json config = completed(std::move(stated), &shared, [&] {
    Json assumed = down.assumed(options);
    assumed.erase("sample_size");
    return assumed;
  });
  config["_class_name"] = "ControlNetModel";
  return config;
}

}  // namespace affiche::diffusion
