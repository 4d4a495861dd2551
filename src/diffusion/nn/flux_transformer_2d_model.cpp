// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/flux_transformer_2d_model.h"

#include <ATen/ATen.h>

#include <deque>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/joint_transformer.h"

namespace affiche::diffusion {
namespace {

// What float16 can hold, as the reference clamps it; other dtypes reach further.
at::Tensor kept_finite(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf ? x.clamp(-65504, 65504) : x;
}

// Text and picture in one stream: attention beside the feed-forward, both from one norm.
class SingleBlock {
 public:
  SingleBlock(Parameters& parameters, const std::string& name, std::int64_t width,
              std::int64_t heads)
      : norm_(parameters, name + ".norm", width, 3),
        proj_mlp_(parameters, name + ".proj_mlp", width, 4 * width),
        proj_out_(parameters, name + ".proj_out", 5 * width, width),
        attn_(parameters, name + ".attn", width,
              {.heads = heads, .qk_norm = true, .context = false, .out = false}) {}

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding,
                        const Rotary& rotary) const {
    const std::vector<at::Tensor> parts = norm_(embedding);  // shift, scale, gate
    const at::Tensor normed = modulated_norm(x, parts[0], parts[1]);
    const at::Tensor fed = at::gelu(proj_mlp_(normed), "tanh");
    const at::Tensor out = proj_out_(at::cat({attn_(normed, {}, rotary).first, fed}, 2));
    return kept_finite(x + parts[2].unsqueeze(1) * out);
  }

 private:
  Modulation norm_;
  Linear proj_mlp_, proj_out_;
  JointAttention attn_;
};

// Angles of rotary embeddings (arXiv 2104.09864, theta 10000) by row and column; text stands at 0.
Rotary rotary_of(std::int64_t text, std::int64_t rows, std::int64_t columns,
                 const std::array<std::int64_t, 3>& axes, at::Device device) {
  const auto wide = at::TensorOptions().dtype(at::kDouble);
  const at::Tensor none = at::zeros({rows * columns}, wide);
  const at::Tensor places[] = {none, at::arange(rows, wide).repeat_interleave(columns),
                               at::arange(columns, wide).repeat({rows})};
  std::vector<at::Tensor> angles;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const at::Tensor place = at::cat({at::zeros({text}, wide), places[i]});
    const at::Tensor exponent = at::arange(0, axes[i], 2, wide) / static_cast<double>(axes[i]);
    const at::Tensor frequency = 1.0 / at::pow(at::scalar_tensor(10000.0, wide), exponent);
    angles.push_back(at::outer(place, frequency));
  }
  const at::Tensor angle = at::cat(angles, 1).repeat_interleave(2, 1);
  return {angle.cos().to(device, at::kFloat), angle.sin().to(device, at::kFloat)};
}

}  // namespace

FluxTransformer2DConfig FluxTransformer2DConfig::from_json(const Json& json) {
  ConfigReader reader(json, "FluxTransformer2DModel config");
  FluxTransformer2DConfig config;
  reader.only("patch_size", "1");
  config.in_channels = reader.integer("in_channels", 64);
  config.out_channels = reader.integer("out_channels", config.in_channels);
  config.num_layers = reader.integer("num_layers", 19, ConfigReader::kMostLayers);
  config.num_single_layers = reader.integer("num_single_layers", 38, ConfigReader::kMostLayers);
  config.attention_head_dim = reader.integer("attention_head_dim", 128, 4096);
  config.num_attention_heads = reader.integer("num_attention_heads", 24, 1024);
  config.joint_attention_dim = reader.integer("joint_attention_dim", 4096);
  config.pooled_projection_dim = reader.integer("pooled_projection_dim", 768);
  config.guidance_embeds = reader.flag("guidance_embeds", false);
  const std::vector<std::int64_t> axes = reader.integers("axes_dims_rope", {16, 56, 56}, 4096);
  const bool fits = axes.size() == 3 && axes[0] % 2 == 0 && axes[1] % 2 == 0 && axes[2] % 2 == 0 &&
                    axes[0] + axes[1] + axes[2] == config.attention_head_dim;
  if (!fits) {
    reader.refuse("axes_dims_rope", concat("expected three even numbers that make the ",
                                           config.attention_head_dim, " channels of a head"));
  }
  config.axes_dims = {axes[0], axes[1], axes[2]};
  reader.finish();
  return config;
}

struct FluxTransformer2DModel::Net {
  Net(Parameters& parameters, const FluxTransformer2DConfig& config, std::int64_t width)
      : time_text_embed(parameters, "time_text_embed", width, config.pooled_projection_dim,
                        config.guidance_embeds),
        context_embedder(parameters, "context_embedder", config.joint_attention_dim, width),
        x_embedder(parameters, "x_embedder", config.in_channels, width) {
    for (std::int64_t i = 0; i < config.num_layers; ++i) {
      blocks.emplace_back(parameters, concat("transformer_blocks.", i), width,
                          JointBlockOptions{.heads = config.num_attention_heads, .qk_norm = true});
    }
    for (std::int64_t i = 0; i < config.num_single_layers; ++i) {
      single_blocks.emplace_back(parameters, concat("single_transformer_blocks.", i), width,
                                 config.num_attention_heads);
    }
    norm_out.emplace(parameters, "norm_out", width, 2);
    proj_out.emplace(parameters, "proj_out", width, config.out_channels);
  }
  TimeTextEmbedding time_text_embed;
  Linear context_embedder, x_embedder;
  std::deque<JointTransformerBlock> blocks;
  std::deque<SingleBlock> single_blocks;
  std::optional<Modulation> norm_out;
  std::optional<Linear> proj_out;
};

FluxTransformer2DModel::FluxTransformer2DModel(const FluxTransformer2DConfig& config)
    : config_(config),
      net_(std::make_unique<Net>(parameters_, config_,
                                 config.attention_head_dim * config.num_attention_heads)) {}

FluxTransformer2DModel::~FluxTransformer2DModel() = default;

at::Tensor FluxTransformer2DModel::forward(const Input& input) const {
  if (input.latents.dim() != 3 || input.latents.size(1) != input.rows * input.columns) {
    fail(Cause::BadInput, "FluxTransformer2DModel: expected latents of B x ", input.rows, " * ",
         input.columns, " x ", config_.in_channels, ", found ", input.latents.sizes());
  }
  // In the reference's order of roundings.
  const auto thousand_of = [&](const at::Tensor& t) {
    return t.defined() ? t.to(input.latents.scalar_type()) * 1000 : t;
  };
  const at::Tensor embedding =
      net_->time_text_embed(thousand_of(input.timestep), thousand_of(input.guidance), input.pooled);
  at::Tensor x = net_->x_embedder(input.latents);
  at::Tensor context = net_->context_embedder(input.context);
  const std::int64_t text = context.size(1);
  const Rotary rotary =
      rotary_of(text, input.rows, input.columns, config_.axes_dims, input.latents.device());
  for (const JointTransformerBlock& block : net_->blocks) {
    block(x, context, embedding, rotary);
    context = kept_finite(context);
  }
  x = at::cat({context, x}, 1);
  for (const SingleBlock& block : net_->single_blocks) x = block(x, embedding, rotary);
  const std::vector<at::Tensor> scale_shift = (*net_->norm_out)(embedding);
  x = x.narrow(1, text, input.rows * input.columns);
  return (*net_->proj_out)(modulated_norm(x, scale_shift[1], scale_shift[0]));
}

}  // namespace affiche::diffusion
