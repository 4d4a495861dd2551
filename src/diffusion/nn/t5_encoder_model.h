// SPDX-License-Identifier: Apache-2.0
// The encoder half of T5 (arXiv 1910.10683, version 1.1 of its code), as transformers'
// T5EncoderModel.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

struct T5Config {
  std::int64_t vocab_size = 32128;
  std::int64_t d_model = 512;
  std::int64_t d_kv = 64;  // per head
  std::int64_t d_ff = 2048;
  std::int64_t num_layers = 6;
  std::int64_t num_heads = 8;
  std::int64_t relative_attention_num_buckets = 32;
  std::int64_t relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;
  bool gated_gelu = false;  // gelu_new(wi_0 x) * (wi_1 x) rather than relu(wi x)

  // A transformers config.json; defaults as there. BadInput names the key.
  static T5Config from_json(const nlohmann::ordered_json& json);
};

// Re-entrant: may run in several threads at once. In float16 the feed-forward's last layer and
// the sums are float32, as in transformers: they overflow otherwise.
class T5EncoderModel {
 public:
  explicit T5EncoderModel(const T5Config& config);
  ~T5EncoderModel();
  T5EncoderModel(const T5EncoderModel&) = delete;
  T5EncoderModel& operator=(const T5EncoderModel&) = delete;

  // input_ids: B x T int64 -> B x T x d_model, in the dtype of the weights. Padding is attended to
  // as diffusers' pipelines have it. BadInput for ids outside the vocabulary.
  at::Tensor forward(const at::Tensor& input_ids) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const T5Config& config() const { return config_; }

 private:
  struct Net;
  T5Config config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
