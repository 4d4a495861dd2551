// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/clip_text_model.h"

#include <ATen/ATen.h>

#include <deque>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/attention.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/layers.h"

namespace affiche::diffusion {
namespace {

const std::string kPrefix = "text_model.";

class EncoderLayer {
 public:
  EncoderLayer(Parameters& parameters, const std::string& name, const CLIPTextConfig& config)
      : k_proj_(parameters, name + ".self_attn.k_proj", config.hidden_size, config.hidden_size),
        v_proj_(parameters, name + ".self_attn.v_proj", config.hidden_size, config.hidden_size),
        q_proj_(parameters, name + ".self_attn.q_proj", config.hidden_size, config.hidden_size),
        out_proj_(parameters, name + ".self_attn.out_proj", config.hidden_size, config.hidden_size),
        layer_norm1_(parameters, name + ".layer_norm1", config.hidden_size, config.layer_norm_eps),
        fc1_(parameters, name + ".mlp.fc1", config.hidden_size, config.intermediate_size),
        fc2_(parameters, name + ".mlp.fc2", config.intermediate_size, config.hidden_size),
        layer_norm2_(parameters, name + ".layer_norm2", config.hidden_size, config.layer_norm_eps),
        heads_(config.num_attention_heads),
        quick_gelu_(config.quick_gelu) {}

  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor normed = layer_norm1_(x);
    const at::Tensor hidden =
        x + out_proj_(attend(q_proj_(normed), k_proj_(normed), v_proj_(normed), heads_, true));
    return hidden + fc2_(activate(fc1_(layer_norm2_(hidden))));
  }

 private:
  at::Tensor activate(const at::Tensor& x) const {
    return quick_gelu_ ? x * at::sigmoid(1.702 * x) : at::gelu(x);
  }
  Linear k_proj_, v_proj_, q_proj_, out_proj_;
  LayerNorm layer_norm1_;
  Linear fc1_, fc2_;
  LayerNorm layer_norm2_;
  std::int64_t heads_;
  bool quick_gelu_;
};

}  // namespace

CLIPTextConfig CLIPTextConfig::from_json(const Json& json, const std::string& class_name) {
  if (class_name != "CLIPTextModel" && class_name != "CLIPTextModelWithProjection") {
    fail(Cause::BadInput,
         "text encoder: expected CLIPTextModel or CLIPTextModelWithProjection, found ", class_name);
  }
  ConfigReader reader(json, class_name + " config");
  CLIPTextConfig config;
  config.with_projection = class_name == "CLIPTextModelWithProjection";
  config.projection_dim = reader.integer("projection_dim", 512);
  config.vocab_size = reader.integer("vocab_size", 49408);
  config.hidden_size = reader.integer("hidden_size", 512);
  config.intermediate_size = reader.integer("intermediate_size", 2048);
  config.num_hidden_layers = reader.integer("num_hidden_layers", 12, ConfigReader::kMostLayers);
  config.num_attention_heads = reader.integer("num_attention_heads", 8);
  config.max_position_embeddings = reader.integer("max_position_embeddings", 77);
  config.layer_norm_eps = reader.number("layer_norm_eps", 1e-5);
  config.eos_token_id = reader.any_integer("eos_token_id", 49407);
  const std::string act = reader.text("hidden_act", "quick_gelu");
  if (act != "quick_gelu" && act != "gelu") {
    reader.refuse("hidden_act", "only quick_gelu and gelu are supported");
  }
  config.quick_gelu = act == "quick_gelu";
  if (config.hidden_size % config.num_attention_heads != 0) {
    reader.refuse("num_attention_heads",
                  concat("does not divide the hidden_size ", config.hidden_size));
  }
  const std::string type = reader.text("model_type", "clip_text_model");
  if (type != "clip_text_model" && type != "clip") {
    reader.refuse("model_type", "only clip_text_model is supported");
  }
  reader.ignore({"architectures", "attention_dropout", "bos_token_id", "dropout", "dtype",
                 "initializer_factor", "initializer_range", "pad_token_id", "torch_dtype",
                 "transformers_version", "use_cache", "gradient_checkpointing"});
  reader.finish();
  return config;
}

struct CLIPTextModel::Net {
  Net(Parameters& parameters, const CLIPTextConfig& config)
      : token_embedding(parameters, kPrefix + "embeddings.token_embedding", config.vocab_size,
                        config.hidden_size),
        position_embedding(parameters, kPrefix + "embeddings.position_embedding",
                           config.max_position_embeddings, config.hidden_size) {
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
      layers.emplace_back(parameters, concat(kPrefix, "encoder.layers.", i), config);
    }
    final_layer_norm = std::make_unique<LayerNorm>(parameters, kPrefix + "final_layer_norm",
                                                   config.hidden_size, config.layer_norm_eps);
    if (config.with_projection) {
      text_projection = std::make_unique<Linear>(parameters, "text_projection", config.hidden_size,
                                                 config.projection_dim, false);
    }
  }
  Embedding token_embedding, position_embedding;
  std::deque<EncoderLayer> layers;
  std::unique_ptr<LayerNorm> final_layer_norm;
  std::unique_ptr<Linear> text_projection;
};

CLIPTextModel::CLIPTextModel(const CLIPTextConfig& config)
    : config_(config), net_(std::make_unique<Net>(parameters_, config_)) {
  for (const Slot& slot : parameters_.slots()) {
    if (!slot.name.starts_with(kPrefix)) continue;
    parameters_.alias(slot.name.substr(kPrefix.size()), slot.name);
  }
}

CLIPTextModel::~CLIPTextModel() = default;

CLIPTextModel::Output CLIPTextModel::forward(const at::Tensor& input_ids) const {
  const std::int64_t length = input_ids.size(-1);
  if (input_ids.dim() != 2 || length > config_.max_position_embeddings) {
    fail(Cause::BadInput, "CLIPTextModel: expected ids of B x at most ",
         config_.max_position_embeddings, ", found ", input_ids.sizes());
  }
  if (input_ids.min().item<std::int64_t>() < 0 || input_ids.max().item<std::int64_t>() >= rows()) {
    fail(Cause::BadInput, "CLIPTextModel: expected ids below the vocabulary's ", rows(),
         "; the tokenizer belongs to another model");
  }
  at::Tensor hidden =
      embed_tokens(input_ids) + net_->position_embedding.weight().slice(0, 0, length);
  Output output;
  output.hidden_states.push_back(hidden);
  for (const EncoderLayer& layer : net_->layers) {
    hidden = layer(hidden);
    output.hidden_states.push_back(hidden);
  }
  output.last_hidden_state = final_norm(hidden);
  // argmax returns the first of equal values, so the first end of text.
  const at::Tensor marked =
      config_.eos_token_id == 2 ? input_ids : input_ids.eq(config_.eos_token_id).to(at::kInt);
  const at::Tensor index = marked.argmax(-1).view({-1, 1, 1}).expand({-1, 1, config_.hidden_size});
  output.pooled = output.last_hidden_state.gather(1, index).squeeze(1);
  if (net_->text_projection) output.text_embeds = (*net_->text_projection)(output.pooled);
  return output;
}

std::int64_t CLIPTextModel::rows() const {
  return config_.vocab_size + (added_embeddings_.defined() ? added_embeddings_.size(0) : 0);
}

void CLIPTextModel::set_added_embeddings(const at::Tensor& vectors) {
  if (!vectors.defined()) {
    added_embeddings_ = at::Tensor();
    return;
  }
  if (vectors.dim() != 2 || vectors.size(0) < 1 || vectors.size(1) != config_.hidden_size) {
    fail(Cause::BadInput, "CLIPTextModel: expected added embeddings of n x ", config_.hidden_size,
         ", found ", vectors.sizes());
  }
  added_embeddings_ = vectors.to(net_->token_embedding.weight().options()).contiguous();
}

at::Tensor CLIPTextModel::embed_tokens(const at::Tensor& input_ids) const {
  if (!added_embeddings_.defined()) return net_->token_embedding(input_ids);
  // Two look-ups rather than one longer table: the table is the checkpoint's, and large.
  const at::Tensor from_table = net_->token_embedding(input_ids.clamp_max(config_.vocab_size - 1));
  const at::Tensor added =
      at::embedding(added_embeddings_, (input_ids - config_.vocab_size).clamp_min(0));
  return at::where(input_ids.ge(config_.vocab_size).unsqueeze(-1), added, from_table);
}

at::Tensor CLIPTextModel::final_norm(const at::Tensor& hidden_state) const {
  return (*net_->final_layer_norm)(hidden_state);
}

}  // namespace affiche::diffusion
