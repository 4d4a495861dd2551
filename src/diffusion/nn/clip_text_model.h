// SPDX-License-Identifier: Apache-2.0
// The text half of CLIP, as transformers' CLIPTextModel and CLIPTextModelWithProjection.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

struct CLIPTextConfig {
  std::int64_t vocab_size = 49408;
  std::int64_t hidden_size = 512;
  std::int64_t intermediate_size = 2048;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 8;
  std::int64_t max_position_embeddings = 77;
  double layer_norm_eps = 1e-5;
  bool quick_gelu = true;             // x sigmoid(1.702 x) rather than the exact GELU
  std::int64_t eos_token_id = 49407;  // 2 in old files: then the highest id is taken for it
  std::int64_t projection_dim = 512;
  bool with_projection = false;  // has text_projection.weight

  // A transformers config.json; defaults as there. BadInput names the key.
  // `class_name` of the part: "CLIPTextModel" or "CLIPTextModelWithProjection".
  static CLIPTextConfig from_json(const nlohmann::ordered_json& json,
                                  const std::string& class_name = "CLIPTextModel");
};

// Slots carry the prefix "text_model."; checkpoints without it load too. Re-entrant: may run in
// several threads at once. Differentiable.
class CLIPTextModel {
 public:
  struct Output {
    // The embeddings, then the output of every layer, before the final norm: layers + 1 tensors of
    // B x T x hidden_size, in the dtype of the weights.
    std::vector<at::Tensor> hidden_states;
    at::Tensor last_hidden_state;  // final norm of the last one
    at::Tensor pooled;       // last_hidden_state at the first end-of-text token, B x hidden_size
    at::Tensor text_embeds;  // B x projection_dim: pooled, projected; undefined without projection
  };

  explicit CLIPTextModel(const CLIPTextConfig& config);
  ~CLIPTextModel();
  CLIPTextModel(const CLIPTextModel&) = delete;
  CLIPTextModel& operator=(const CLIPTextModel&) = delete;

  // input_ids: B x T int64, T <= max_position_embeddings. BadInput for longer texts and for ids
  // outside the vocabulary.
  Output forward(const at::Tensor& input_ids) const;
  at::Tensor final_norm(const at::Tensor& hidden_state) const;

  // Embeddings of the ids from vocab_size on (textual inversion): n x hidden_size, converted to the
  // dtype and device of the weights, which must be loaded; undefined: none. Replaces earlier ones;
  // the weights stay as they are. Not while another thread is in forward(). BadInput for another
  // shape.
  void set_added_embeddings(const at::Tensor& vectors);

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const CLIPTextConfig& config() const { return config_; }

 private:
  struct Net;
  std::int64_t rows() const;
  at::Tensor embed_tokens(const at::Tensor& input_ids) const;

  CLIPTextConfig config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
  at::Tensor added_embeddings_;
};

}  // namespace affiche::diffusion
