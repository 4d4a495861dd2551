// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/autoencoder_tiny.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

std::unique_ptr<Autoencoder> load_taesd(at::ScalarType dtype = at::kFloat) {
  auto vae = make_autoencoder("AutoencoderTiny", golden_json("models/taesd/config.json"));
  vae->parameters().load(
      load_safetensors(golden("models/taesd/diffusion_pytorch_model.safetensors")), dtype,
      at::kCPU);
  return vae;
}

std::string refusal(const std::string& key, const Json& value) {
  Json config = golden_json("models/taesd/config.json");
  config[key] = value;
  try {
    make_autoencoder("AutoencoderTiny", config);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the tiny autoencoder encodes and decodes as the reference does") {
  const auto vae = load_taesd();
  const StateDict expected = load_safetensors(golden("modules/taesd.safetensors"));
  const Autoencoder::Moments moments = vae->encode(expected.at("image"));
  CHECK(distance(moments.mean, expected.at("latents")) < kTolerance);
  CHECK(!moments.logvar.defined());
  CHECK(distance(vae->decode(expected.at("latents")), expected.at("decoded")) < kTolerance);
  CHECK(vae->scale() == 8);
  CHECK(vae->scaling_factor() == 1.0);
  CHECK(!vae->force_upcast());
}

TEST_CASE("tiny autoencoder options that are not built are refused by their key") {
  const std::pair<const char*, Json> options[] = {{"act_fn", "tanh"},
                                                  {"upsample_fn", "bilinear"},
                                                  {"upsampling_scaling_factor", 4},
                                                  {"encoder_block_out_channels", {16, 16, 16, 32}},
                                                  {"decoder_block_out_channels", {32, 32, 32, 32}},
                                                  {"num_decoder_blocks", {1, 1}},
                                                  {"scaling_factor", 0},
                                                  {"latent_chanels", 4}};
  for (const auto& [key, value] : options) {
    INFO(key);
    CHECK(refusal(key, value).find(concat("\"", key, "\"")) != std::string::npos);
  }
  CHECK(refusal("act_fn", "swish").empty());
}

TEST_CASE("an autoencoder of another class is refused") {
  CHECK_THROWS_AS(make_autoencoder("AsymmetricAutoencoderKL", Json::object()), Error);
}
