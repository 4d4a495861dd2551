// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/autoencoder_kl.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

std::unique_ptr<AutoencoderKL> load_vae(const std::string& model, at::ScalarType dtype) {
  const std::filesystem::path folder = std::filesystem::path("models") / model / "vae";
  auto vae = std::make_unique<AutoencoderKL>(
      AutoencoderKLConfig::from_json(golden_json(folder / "config.json")));
  vae->parameters().load(load_safetensors(golden(folder / "diffusion_pytorch_model.safetensors")),
                         dtype, at::kCPU);
  return vae;
}

std::string refusal(Json config, const std::string& key, const Json& value) {
  config[key] = value;
  try {
    const AutoencoderKL vae(AutoencoderKLConfig::from_json(config));
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the autoencoder encodes and decodes as the reference does") {
  for (const std::string model : {"sd15", "sd21", "sdxl", "sd15-inpaint", "lcm", "x4-upscaler"}) {
    INFO(model);
    const auto vae = load_vae(model, at::kFloat);
    const StateDict expected = load_safetensors(golden("modules/" + model + ".safetensors"));
    const AutoencoderKL::Moments moments = vae->encode(expected.at("vae.image"));
    CHECK(distance(moments.mean, expected.at("vae.mean")) < kTolerance);
    CHECK(distance(moments.logvar, expected.at("vae.logvar")) < kTolerance);
    const at::Tensor decoded = vae->decode(expected.at("vae.mean"));
    CHECK(distance(decoded, expected.at("vae.decoded_mean")) < kTolerance);
    const at::Tensor last =
        vae->decode(expected.at("vae.mean").contiguous(at::MemoryFormat::ChannelsLast));
    CHECK(distance(last, expected.at("vae.decoded_mean")) < kTolerance);
  }
}

TEST_CASE("the autoencoder decodes in bf16 close to fp32") {
  const auto vae = load_vae("sd15", at::kBFloat16);
  const StateDict expected = load_safetensors(golden("modules/sd15.safetensors"));
  const at::Tensor decoded = vae->decode(expected.at("vae.mean"));
  CHECK(decoded.scalar_type() == at::kFloat);
  CHECK(distance(decoded, expected.at("vae.decoded_mean")) < 0.1);
}

TEST_CASE("gradients reach every weight of the autoencoder") {
  const auto vae = load_vae("sd21", at::kFloat);
  for (const Slot& slot : vae->parameters().slots()) {
    *slot.tensor = slot.tensor->clone().set_requires_grad(true);
  }
  const auto moments = vae->encode(at::rand({1, 3, 32, 48}) * 2 - 1);
  const at::Tensor loss =
      vae->decode(moments.mean).square().mean() + moments.logvar.square().mean();
  loss.backward();
  for (const Slot& slot : vae->parameters().slots()) {
    INFO(slot.name);
    REQUIRE(slot.tensor->grad().defined());
  }
}

TEST_CASE("an autoencoder may leave out the middle attention and the quantising convolutions") {
  Json json = golden_json("models/sd15/vae/config.json");
  json["mid_block_add_attention"] = false;
  json["use_quant_conv"] = false;
  json["use_post_quant_conv"] = false;
  AutoencoderKL vae(AutoencoderKLConfig::from_json(json));
  CHECK(vae.parameters().find("quant_conv.weight") == nullptr);
  CHECK(vae.parameters().find("post_quant_conv.weight") == nullptr);
  CHECK(vae.parameters().find("encoder.mid_block.attentions.0.to_q.weight") == nullptr);
}

TEST_CASE("old attention names and 1x1 convolution weights load into the autoencoder") {
  const StateDict current =
      load_safetensors(golden("models/sd15/vae/diffusion_pytorch_model.safetensors"));
  const std::pair<std::string, std::string> names[] = {{".to_q.", ".query."},
                                                       {".to_k.", ".key."},
                                                       {".to_v.", ".value."},
                                                       {".to_out.0.", ".proj_attn."}};
  StateDict old;
  for (const auto& [name, tensor] : current) {
    std::string renamed = name;
    at::Tensor value = tensor;
    for (const auto& [from, to] : names) {
      const auto at = renamed.find(from);
      if (at == std::string::npos) continue;
      renamed.replace(at, from.size(), to);
      if (value.dim() == 2) value = value.unsqueeze(-1).unsqueeze(-1);
    }
    old.emplace(renamed, value);
  }
  AutoencoderKL vae(AutoencoderKLConfig::from_json(golden_json("models/sd15/vae/config.json")));
  vae.parameters().load(old, at::kFloat, at::kCPU);
  const StateDict expected = load_safetensors(golden("modules/sd15.safetensors"));
  CHECK(distance(vae.decode(expected.at("vae.mean")), expected.at("vae.decoded_mean")) <
        kTolerance);
  old.emplace("decoder.mid_block.attentions.0.to_q.weight",
              current.at("decoder.mid_block.attentions.0.to_q.weight"));
  CHECK_THROWS_AS(vae.parameters().load(old, at::kFloat, at::kCPU), Error);
}

TEST_CASE("an autoencoder's scaling, shift and statistics are those of its config") {
  Json json = golden_json("models/sd15/vae/config.json");
  json["shift_factor"] = 0.1159;
  json["latents_mean"] = {-1.6574, 1.886, -1.383, 2.5155};
  json["latents_std"] = {8.4927, 5.9022, 6.5498, 5.2299};
  const auto vae = make_autoencoder("AutoencoderKL", json);
  CHECK(vae->scaling_factor() == 0.18215);
  CHECK(vae->shift_factor() == 0.1159);
  CHECK(vae->latents_mean() == std::vector<double>{-1.6574, 1.886, -1.383, 2.5155});
  CHECK(vae->latents_std() == std::vector<double>{8.4927, 5.9022, 6.5498, 5.2299});
  CHECK(vae->scale() == 8);
  CHECK(vae->latent_channels() == 4);
  const auto plain =
      make_autoencoder("AutoencoderKL", golden_json("models/x4-upscaler/vae/config.json"));
  CHECK(plain->shift_factor() == 0.0);
  CHECK(plain->latents_mean().empty());
  CHECK(plain->scale() == 4);
}

TEST_CASE("pictures and latents that do not fit the autoencoder are refused") {
  const auto vae = load_vae("sd15", at::kFloat);
  CHECK_THROWS_AS(vae->encode(at::zeros({1, 4, 64, 64})), Error);
  CHECK_THROWS_AS(vae->encode(at::zeros({3, 64, 64})), Error);
  CHECK_THROWS_AS(vae->decode(at::zeros({1, 16, 8, 8})), Error);
  CHECK_THROWS_AS(vae->decode(at::zeros({0, 4, 8, 8})), Error);
}

TEST_CASE("autoencoder options that are not built are refused by their key") {
  const Json json = golden_json("models/sd15/vae/config.json");
  CHECK(refusal(json, "act_fn", "mish").find("\"act_fn\"") != std::string::npos);
  CHECK(refusal(json, "shift_factor", "0.1").find("\"shift_factor\"") != std::string::npos);
  CHECK(refusal(json, "latents_mean", {0.1, 0.2}).find("\"latents_mean\"") != std::string::npos);
  CHECK(refusal(json, "sclaing_factor", 1.0).find("scaling_factor") != std::string::npos);
  CHECK(refusal(json, "block_out_channels", {8, -1}).find("block_out_channels") !=
        std::string::npos);
  CHECK(refusal(json, "norm_num_groups", 7).find("norm_num_groups") != std::string::npos);
  CHECK(refusal(json, "down_block_types", {"DownEncoderBlock2D"}).find("down_block_types") !=
        std::string::npos);
  CHECK(refusal(json, "act_fn", "swish").empty());
}
