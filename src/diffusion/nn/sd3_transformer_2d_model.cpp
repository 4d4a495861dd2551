// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/sd3_transformer_2d_model.h"

#include <ATen/ATen.h>

#include <deque>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/joint_transformer.h"

namespace affiche::diffusion {
namespace {

// Layers are counted from 0, so that ConfigReader::integers() does not fit.
std::set<std::int64_t> read_layers(ConfigReader& reader, const Json& json, const std::string& key,
                                   std::int64_t count) {
  reader.ignore({key});
  const auto found = json.find(key);
  std::set<std::int64_t> layers;
  if (found == json.end() || found->is_null()) return layers;
  if (!found->is_array()) reader.refuse(key, "expected a list of layers");
  for (const Json& layer : *found) {
    if (!layer.is_number_integer() || layer.get<std::int64_t>() < 0 ||
        layer.get<std::int64_t>() >= count) {
      reader.refuse(key, concat("expected layers from 0 to ", count - 1));
    }
    layers.insert(layer.get<std::int64_t>());
  }
  return layers;
}

}  // namespace

SD3Transformer2DConfig SD3Transformer2DConfig::from_json(const Json& json) {
  ConfigReader reader(json, "SD3Transformer2DModel config");
  SD3Transformer2DConfig config;
  config.sample_size = reader.integer("sample_size", 128);
  config.patch_size = reader.integer("patch_size", 2, 16);
  config.in_channels = reader.integer("in_channels", 16);
  config.out_channels =
      reader.is_null("out_channels") ? config.in_channels : reader.integer("out_channels", 16);
  config.num_layers = reader.integer("num_layers", 18, ConfigReader::kMostLayers);
  config.attention_head_dim = reader.integer("attention_head_dim", 64, 4096);
  config.num_attention_heads = reader.integer("num_attention_heads", 18, 1024);
  config.joint_attention_dim = reader.integer("joint_attention_dim", 4096);
  const std::int64_t width = config.attention_head_dim * config.num_attention_heads;
  if (reader.integer("caption_projection_dim", 1152) != width) {
    reader.refuse("caption_projection_dim", concat("expected heads times their width, ", width));
  }
  config.pooled_projection_dim = reader.integer("pooled_projection_dim", 2048);
  if (reader.is_null("pos_embed_max_size")) {
    reader.refuse("pos_embed_max_size", "only stored position embeddings are supported");
  }
  config.pos_embed_max_size = reader.integer("pos_embed_max_size", 96, 4096);
  config.dual_attention_layers =
      read_layers(reader, json, "dual_attention_layers", config.num_layers);
  config.qk_norm = reader.has("qk_norm");
  reader.only("qk_norm", "\"rms_norm\"");
  reader.finish();
  return config;
}

struct SD3Transformer2DModel::Net {
  Net(Parameters& parameters, const SD3Transformer2DConfig& config, std::int64_t width)
      : proj(parameters, "pos_embed.proj", config.in_channels, width, config.patch_size,
             config.patch_size),
        time_text_embed(parameters, "time_text_embed", width, config.pooled_projection_dim, false),
        context_embedder(parameters, "context_embedder", config.joint_attention_dim, width) {
    parameters.add("pos_embed.pos_embed", pos_embed,
                   {1, config.pos_embed_max_size * config.pos_embed_max_size, width});
    for (std::int64_t i = 0; i < config.num_layers; ++i) {
      blocks.emplace_back(parameters, concat("transformer_blocks.", i), width,
                          JointBlockOptions{.heads = config.num_attention_heads,
                                            .qk_norm = config.qk_norm,
                                            .dual = config.dual_attention_layers.contains(i),
                                            .last = i == config.num_layers - 1,
                                            .context_first = false});
    }
    norm_out.emplace(parameters, "norm_out", width, 2);
    proj_out.emplace(parameters, "proj_out", width,
                     config.patch_size * config.patch_size * config.out_channels);
  }

  // The middle of the table, as large as the picture: 1 x (rows columns) x width.
  at::Tensor places(std::int64_t rows, std::int64_t columns, std::int64_t most) const {
    return pos_embed.view({1, most, most, pos_embed.size(2)})
        .narrow(1, (most - rows) / 2, rows)
        .narrow(2, (most - columns) / 2, columns)
        .reshape({1, rows * columns, pos_embed.size(2)});
  }

  Conv2d proj;
  at::Tensor pos_embed;
  TimeTextEmbedding time_text_embed;
  Linear context_embedder;
  std::deque<JointTransformerBlock> blocks;
  std::optional<Modulation> norm_out;
  std::optional<Linear> proj_out;
};

SD3Transformer2DModel::SD3Transformer2DModel(const SD3Transformer2DConfig& config)
    : config_(config),
      net_(std::make_unique<Net>(parameters_, config_,
                                 config.attention_head_dim * config.num_attention_heads)) {}

SD3Transformer2DModel::~SD3Transformer2DModel() = default;

at::Tensor SD3Transformer2DModel::forward(const at::Tensor& latents, const at::Tensor& timestep,
                                          const at::Tensor& context,
                                          const at::Tensor& pooled) const {
  const std::int64_t patch = config_.patch_size, most = config_.pos_embed_max_size;
  const std::int64_t rows = latents.size(2) / patch, columns = latents.size(3) / patch;
  if (latents.size(2) % patch != 0 || latents.size(3) % patch != 0 || rows > most ||
      columns > most) {
    fail(Cause::BadInput, "SD3Transformer2DModel: expected latents of a multiple of ", patch,
         " and at most ", patch * most, " in each direction, found ", latents.size(2), "x",
         latents.size(3));
  }
  at::Tensor x = net_->proj(latents).flatten(2).transpose(1, 2).contiguous();
  x = (x + net_->places(rows, columns, most)).to(x.scalar_type());
  const at::Tensor embedding = net_->time_text_embed(timestep, {}, pooled);
  at::Tensor read = net_->context_embedder(context);
  for (const JointTransformerBlock& block : net_->blocks) block(x, read, embedding);
  const std::vector<at::Tensor> scale_shift = (*net_->norm_out)(embedding);
  x = (*net_->proj_out)(modulated_norm(x, scale_shift[1], scale_shift[0]));
  return x.reshape({x.size(0), rows, columns, patch, patch, config_.out_channels})
      .permute({0, 5, 1, 3, 2, 4})
      .reshape({x.size(0), config_.out_channels, rows * patch, columns * patch});
}

}  // namespace affiche::diffusion
