// SPDX-License-Identifier: Apache-2.0
// T5, SD3 and Flux on tiny networks: tests/data/goldens/models-next/modules holds what the Python
// libraries compute with options that the golden pipelines do not have.
#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/flux_transformer_2d_model.h"
#include "diffusion/nn/sd3_transformer_2d_model.h"
#include "diffusion/nn/t5_encoder_model.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

StateDict tensors(const std::string& name) {
  return load_safetensors(golden("models-next/modules/" + name + ".safetensors"));
}

Json config(const std::string& name) {
  return golden_json("models-next/modules/" + name + ".json");
}

template <typename Model>
void load(Model& model, const StateDict& all, at::ScalarType dtype = at::kFloat) {
  model.parameters().load(all, dtype, at::kCPU, "weights.");
}

template <typename Config>
std::string refusal(Json json, const char* key, const Json& value) {
  json[key] = value;
  try {
    Config::from_json(json);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

template <typename Config>
void check_refused(const Json& json, const char* key, const Json& value) {
  INFO(key);
  CHECK(refusal<Config>(json, key, value).find(key) != std::string::npos);
}

}  // namespace

TEST_CASE("T5 with plain layers and a long text is that of the reference") {
  const StateDict all = tensors("t5_relu");
  T5EncoderModel model(T5Config::from_json(config("t5_relu")));
  load(model, all);
  CHECK(distance(model.forward(all.at("input_ids")), all.at("out")) < kTolerance);
  CHECK_THROWS_AS(model.forward(all.at("input_ids") + 1), Error);
}

TEST_CASE("T5 in half precision sums in float32 and answers in half precision") {
  const StateDict all = tensors("t5_relu");
  T5EncoderModel model(T5Config::from_json(config("t5_relu")));
  load(model, all, at::kHalf);
  const at::Tensor out = model.forward(all.at("input_ids"));
  CHECK(out.scalar_type() == at::kHalf);
  CHECK(distance(out, all.at("out")) < 0.05);
}

TEST_CASE("SD 3.5 with two attentions and normed queries is that of the reference") {
  const StateDict all = tensors("sd35");
  SD3Transformer2DModel model(SD3Transformer2DConfig::from_json(config("sd35")));
  load(model, all);
  const auto forward = [&](const at::Tensor& sample) {
    return model.forward(sample, all.at("timestep"), all.at("encoder_hidden_states"),
                         all.at("pooled"));
  };
  CHECK(distance(forward(all.at("sample")), all.at("out")) < kTolerance);
  CHECK_THROWS_AS(forward(at::zeros({2, 4, 18, 8})), Error);
  CHECK_THROWS_AS(forward(at::zeros({2, 4, 7, 8})), Error);
}

TEST_CASE("Flux without guidance is that of the reference") {
  const StateDict all = tensors("flux_schnell");
  FluxTransformer2DModel model(FluxTransformer2DConfig::from_json(config("flux_schnell")));
  load(model, all);
  FluxTransformer2DModel::Input input{all.at("sample"),   3,  5,
                                      all.at("timestep"), {}, all.at("encoder_hidden_states"),
                                      all.at("pooled")};
  CHECK(distance(model.forward(input), all.at("out")) < kTolerance);
  input.rows = 4;
  CHECK_THROWS_AS(model.forward(input), Error);
}

TEST_CASE("options of transformers that are not built are refused by their key") {
  const Json t5 = config("t5_relu"), sd3 = config("sd35"), flux = config("flux_schnell");
  check_refused<T5Config>(t5, "feed_forward_proj", "gated-silu");
  check_refused<T5Config>(t5, "is_decoder", true);
  check_refused<T5Config>(t5, "relative_attention_num_buckets", 6);
  check_refused<T5Config>(t5, "d_modle", 6);
  check_refused<SD3Transformer2DConfig>(sd3, "qk_norm", "layer_norm");
  check_refused<SD3Transformer2DConfig>(sd3, "dual_attention_layers", Json{7});
  check_refused<SD3Transformer2DConfig>(sd3, "caption_projection_dim", 24);
  check_refused<SD3Transformer2DConfig>(sd3, "pos_embed_max_size", nullptr);
  check_refused<FluxTransformer2DConfig>(flux, "axes_dims_rope", Json{2, 2, 2});
  check_refused<FluxTransformer2DConfig>(flux, "patch_size", 2);
  check_refused<FluxTransformer2DConfig>(flux, "num_attention_heads", 0);
}
