// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/deduce.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/shapes.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kHeadSize = 64;

}  // namespace

Json deduce_text_encoder(const StateDict& tensors, const DeduceOptions& options) {
  const std::string prefix = has_prefix(tensors, "text_model.") ? "text_model." : "";
  const Shapes shapes(tensors, options.what);
  const std::string token = prefix + "embeddings.token_embedding.weight";
  const std::string layers = prefix + "encoder.layers.";
  const std::int64_t width = shapes.size(token, 1);
  const std::int64_t vocabulary = shapes.size(token, 0);
  const Json* like = options.like;
  const bool fits = like != nullptr && like->is_object() && like->contains("hidden_size") &&
                    (*like)["hidden_size"] == width;
  Json config = {
      {"hidden_act", options.hidden_act},
      {"hidden_size", width},
      {"intermediate_size", shapes.size(layers + "0.mlp.fc1.weight", 0)},
      {"layer_norm_eps", 1e-5},
      {"max_position_embeddings", shapes.size(prefix + "embeddings.position_embedding.weight", 0)},
      {"model_type", "clip_text_model"},
      {"num_attention_heads", std::max<std::int64_t>(1, width / kHeadSize)},
      {"num_hidden_layers", count_tensors(tensors, layers, ".mlp.fc1.weight")},
      {"vocab_size", vocabulary},
      {"bos_token_id", vocabulary - 2},
      {"eos_token_id", vocabulary - 1},
      {"pad_token_id", vocabulary - 1}};
  if (fits) {
    for (const char* key : {"hidden_act", "layer_norm_eps", "num_attention_heads", "bos_token_id",
                            "eos_token_id", "pad_token_id"}) {
      if (like->contains(key)) config[key] = (*like)[key];
    }
  } else if (width > kHeadSize && width % kHeadSize != 0) {
    fail(Cause::BadInput, options.what, ": expected a text encoder whose width is a multiple of ",
         kHeadSize, ", found ", width, "; give the model as a folder with config.json");
  }
  const bool projected = shapes.has("text_projection.weight");
  config["projection_dim"] = projected ? shapes.size("text_projection.weight", 0) : width;
  config["architectures"] =
      Json::array({projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"});
  return config;
}

}  // namespace affiche::diffusion
