// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/t5_encoder_model.h"

#include <ATen/ATen.h>

#include <cmath>
#include <deque>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/layers.h"
#include "diffusion/nn/rms_norm.h"

namespace affiche::diffusion {
namespace {

// Which learned bias belongs to a key that stands `distance` behind its query, T x T int64: a
// bucket of its own for each near one, logarithmic ones up to max_distance; half for each side.
at::Tensor position_buckets(std::int64_t length, const T5Config& config, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const at::Tensor place = at::arange(length, options);
  const at::Tensor distance = place.unsqueeze(0) - place.unsqueeze(1);
  const std::int64_t side = config.relative_attention_num_buckets / 2;
  const std::int64_t exact = side / 2;
  const at::Tensor far = distance.abs();
  const double range = std::log(static_cast<double>(config.relative_attention_max_distance) /
                                static_cast<double>(exact));
  const at::Tensor logarithmic =
      exact + (at::log(far.to(at::kFloat) / exact) / range * (side - exact)).to(at::kLong);
  return distance.gt(0).to(at::kLong) * side +
         at::where(far.lt(exact), far, logarithmic.clamp_max(side - 1));
}

class SelfAttention {
 public:
  SelfAttention(Parameters& parameters, const std::string& name, const T5Config& config)
      : q_(parameters, name + ".q", config.d_model, config.num_heads * config.d_kv, false),
        k_(parameters, name + ".k", config.d_model, config.num_heads * config.d_kv, false),
        v_(parameters, name + ".v", config.d_model, config.num_heads * config.d_kv, false),
        o_(parameters, name + ".o", config.num_heads * config.d_kv, config.d_model, false),
        heads_(config.num_heads) {}

  // bias: 1 x heads x T x T. The scores are not divided by the root of the width: T5's
  // initialization does that.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& bias) const {
    const auto split = [&](const at::Tensor& t) {
      return t.view({t.size(0), t.size(1), heads_, t.size(2) / heads_}).transpose(1, 2);
    };
    const at::Tensor out = at::scaled_dot_product_attention(split(q_(x)), split(k_(x)),
                                                            split(v_(x)), bias, 0.0, false, 1.0);
    return o_(out.transpose(1, 2).reshape({x.size(0), x.size(1), -1}));
  }

 private:
  Linear q_, k_, v_, o_;
  std::int64_t heads_;
};

class DenseReluDense {
 public:
  DenseReluDense(Parameters& parameters, const std::string& name, const T5Config& config)
      : wi_(parameters, name + (config.gated_gelu ? ".wi_0" : ".wi"), config.d_model, config.d_ff,
            false) {
    if (config.gated_gelu) {
      gated_.emplace(parameters, name + ".wi_1", config.d_model, config.d_ff, false);
    }
    wo_.emplace(parameters, name + ".wo", config.d_ff, config.d_model, false);
  }

  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor hidden = gated_ ? at::gelu(wi_(x), "tanh") * (*gated_)(x) : at::relu(wi_(x));
    return (*wo_)(hidden.scalar_type() == at::kHalf ? hidden.to(at::kFloat) : hidden);
  }

 private:
  Linear wi_;
  std::optional<Linear> gated_, wo_;
};

class Block {
 public:
  Block(Parameters& parameters, const std::string& name, const T5Config& config)
      : attention_(parameters, name + ".layer.0.SelfAttention", config),
        attention_norm_(parameters, name + ".layer.0.layer_norm", config.d_model,
                        config.layer_norm_epsilon),
        dense_(parameters, name + ".layer.1.DenseReluDense", config),
        dense_norm_(parameters, name + ".layer.1.layer_norm", config.d_model,
                    config.layer_norm_epsilon) {}

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& bias) const {
    const at::ScalarType dtype = bias.scalar_type();
    const at::Tensor hidden = x + attention_(attention_norm_(x).to(dtype), bias);
    return hidden + dense_(dense_norm_(hidden).to(dtype));
  }

 private:
  SelfAttention attention_;
  RMSNorm attention_norm_;
  DenseReluDense dense_;
  RMSNorm dense_norm_;
};

}  // namespace

T5Config T5Config::from_json(const Json& json) {
  ConfigReader reader(json, "T5EncoderModel config");
  T5Config config;
  config.vocab_size = reader.integer("vocab_size", 32128);
  config.d_model = reader.integer("d_model", 512);
  config.d_kv = reader.integer("d_kv", 64);
  config.d_ff = reader.integer("d_ff", 2048);
  config.num_layers = reader.integer("num_layers", 6, ConfigReader::kMostLayers);
  config.num_heads = reader.integer("num_heads", 8);
  config.relative_attention_num_buckets = reader.integer("relative_attention_num_buckets", 32);
  config.relative_attention_max_distance = reader.integer("relative_attention_max_distance", 128);
  config.layer_norm_epsilon = reader.number("layer_norm_epsilon", 1e-6);
  const std::string feed_forward = reader.text("feed_forward_proj", "relu");
  if (feed_forward != "relu" && feed_forward != "gated-gelu") {
    reader.refuse("feed_forward_proj", "only relu and gated-gelu are supported");
  }
  config.gated_gelu = feed_forward == "gated-gelu";
  reader.only("dense_act_fn", config.gated_gelu ? "\"gelu_new\"" : "\"relu\"");
  reader.only("is_gated_act", config.gated_gelu ? "true" : "false");
  reader.only("is_decoder", "false");
  reader.only("model_type", "\"t5\"");
  const std::int64_t buckets = config.relative_attention_num_buckets;
  if (buckets < 4 || buckets % 4 != 0) {
    reader.refuse("relative_attention_num_buckets", "expected a multiple of 4");
  }
  if (config.relative_attention_max_distance <= buckets / 4) {
    reader.refuse("relative_attention_max_distance",
                  concat("expected more than ", buckets / 4, ", a quarter of the buckets"));
  }
  if (config.num_heads * config.d_kv > ConfigReader::kLargest) {
    reader.refuse("num_heads", "expected fewer or narrower heads");
  }
  reader.ignore({"architectures", "classifier_dropout", "decoder_start_token_id", "dropout_rate",
                 "dtype", "eos_token_id", "initializer_factor", "is_encoder_decoder", "n_positions",
                 "num_decoder_layers", "output_past", "pad_token_id", "scale_decoder_outputs",
                 "task_specific_params", "tie_word_embeddings", "torch_dtype",
                 "transformers_version", "use_cache"});
  reader.finish();
  return config;
}

struct T5EncoderModel::Net {
  Net(Parameters& parameters, const T5Config& config)
      : shared(parameters, "shared", config.vocab_size, config.d_model),
        relative_attention_bias(parameters,
                                "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
                                config.relative_attention_num_buckets, config.num_heads) {
    parameters.alias("encoder.embed_tokens.weight", "shared.weight");
    for (std::int64_t i = 0; i < config.num_layers; ++i) {
      blocks.emplace_back(parameters, concat("encoder.block.", i), config);
    }
    final_layer_norm.emplace(parameters, "encoder.final_layer_norm", config.d_model,
                             config.layer_norm_epsilon);
  }
  Embedding shared;
  Embedding relative_attention_bias;  // of the first layer, which all use
  std::deque<Block> blocks;
  std::optional<RMSNorm> final_layer_norm;
};

T5EncoderModel::T5EncoderModel(const T5Config& config)
    : config_(config), net_(std::make_unique<Net>(parameters_, config_)) {}

T5EncoderModel::~T5EncoderModel() = default;

at::Tensor T5EncoderModel::forward(const at::Tensor& input_ids) const {
  if (input_ids.dim() != 2 || input_ids.numel() == 0 || input_ids.min().item<std::int64_t>() < 0 ||
      input_ids.max().item<std::int64_t>() >= config_.vocab_size) {
    fail(Cause::BadInput, "T5EncoderModel: expected B x T ids below the vocabulary's ",
         config_.vocab_size, "; the tokenizer belongs to another model");
  }
  at::Tensor hidden = net_->shared(input_ids);
  const at::ScalarType dtype = hidden.scalar_type();
  const at::Tensor bias =
      net_->relative_attention_bias(position_buckets(input_ids.size(1), config_, hidden.device()))
          .permute({2, 0, 1})
          .unsqueeze(0)
          .contiguous();
  for (const Block& block : net_->blocks) hidden = block(hidden, bias);
  return (*net_->final_layer_norm)(hidden).to(dtype);
}

}  // namespace affiche::diffusion
