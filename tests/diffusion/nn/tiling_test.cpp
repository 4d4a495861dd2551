// SPDX-License-Identifier: Apache-2.0
// Against diffusers 0.42.1 with enable_tiling(): modules/tiling.safetensors.
#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/autoencoder.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

std::unique_ptr<Autoencoder> load(const std::string& folder, const std::string& class_name,
                                  at::ScalarType dtype = at::kFloat) {
  auto vae = make_autoencoder(class_name, golden_json("models/" + folder + "/config.json"));
  vae->parameters().load(
      load_safetensors(golden("models/" + folder + "/diffusion_pytorch_model.safetensors")), dtype,
      at::kCPU);
  return vae;
}

at::Tensor every(const at::Tensor& x, std::int64_t step) {
  return x.slice(2, 0, std::nullopt, step).slice(3, 0, std::nullopt, step);
}

}  // namespace

TEST_CASE("AutoencoderKL decodes and encodes in tiles as the reference does") {
  const auto vae = load("x4-upscaler/vae", "AutoencoderKL");
  const StateDict expected = load_safetensors(golden("modules/tiling.safetensors"));
  const at::Tensor& latents = expected.at("kl.latents");
  for (const bool slicing : {false, true}) {
    const at::Tensor decoded = vae->decode(latents, {.slicing = slicing, .tiling = true});
    CHECK(distance(decoded.slice(0, 0, 1), expected.at("kl.decoded")) < kTolerance);
    CHECK(distance(every(decoded.slice(0, 1), 4), expected.at("kl.decoded_second")) < kTolerance);
  }
  CHECK(distance(every(vae->decode(latents, {.tiling = true, .tile_size = 48}).slice(0, 0, 1), 4),
                 expected.at("kl.decoded_48")) < kTolerance);
  const Autoencoder::Moments moments =
      vae->encode(expected.at("kl.image").to(at::kFloat), {.tiling = true});
  CHECK(distance(moments.mean, expected.at("kl.mean")) < kTolerance);
  CHECK(distance(moments.logvar, expected.at("kl.logvar")) < kTolerance);
}

TEST_CASE("AutoencoderTiny decodes and encodes in tiles as the reference does") {
  const auto vae = load("taesd", "AutoencoderTiny");
  const StateDict expected = load_safetensors(golden("modules/tiling.safetensors"));
  const at::Tensor latents = expected.at("tiny.latents").to(at::kFloat);
  const at::Tensor decoded = vae->decode(latents, {.tiling = true});
  CHECK(distance(every(decoded, 16), expected.at("tiny.decoded")) < kTolerance);
  CHECK(distance(decoded.slice(2, 440, 456).slice(3, 444, 452), expected.at("tiny.seam")) <
        kTolerance);
  CHECK(distance(every(vae->decode(latents, {.tiling = true, .tile_size = 128}), 16),
                 expected.at("tiny.decoded_128")) < kTolerance);
  const at::Tensor image =
      latents.slice(1, 0, 3).clamp(-1, 1).repeat_interleave(8, 2).repeat_interleave(8, 3);
  CHECK(distance(every(vae->encode(image, {.tiling = true}).mean, 2), expected.at("tiny.encoded")) <
        kTolerance);
  CHECK(distance(every(vae->encode(image, {.tiling = true, .tile_size = 128}).mean, 2),
                 expected.at("tiny.encoded_128")) < kTolerance);
}

TEST_CASE("pictures of one tile are not tiled, and slices are the pictures of the batch") {
  const at::Tensor latents = at::randn({3, 4, 8, 8});
  for (const auto& [folder, name] :
       {std::pair<std::string, std::string>{"x4-upscaler/vae", "AutoencoderKL"},
        {"taesd", "AutoencoderTiny"}}) {
    const auto vae = load(folder, name);
    const at::Tensor whole = vae->decode(latents);
    CHECK(distance(vae->decode(latents, {.tiling = true}), whole) < 1e-5);
    const at::Tensor sliced = vae->decode(latents, {.slicing = true});
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(distance(sliced.slice(0, i, i + 1), vae->decode(latents.slice(0, i, i + 1))) == 0.0);
    }
  }
}

TEST_CASE("tiles that would not join up are refused with the size that would") {
  const auto refusal = [](const Autoencoder& vae, std::int64_t size) {
    try {
      vae.decode(at::zeros({1, 4, 40, 40}), {.tiling = true, .tile_size = size});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto kl = load("x4-upscaler/vae", "AutoencoderKL");
  const auto tiny = load("taesd", "AutoencoderTiny");
  CHECK(refusal(*kl, 40).find("that 16 divides") != std::string::npos);
  CHECK(refusal(*kl, 1).find("that 16 divides") != std::string::npos);
  CHECK(refusal(*kl, 16).empty());
  CHECK(refusal(*tiny, 64).find("at least 128") != std::string::npos);
  CHECK(refusal(*tiny, 136).find("that 64 divides") != std::string::npos);
  CHECK_THROWS_AS(kl->encode(at::zeros({1, 3, 66, 64}), {.tiling = true}), Error);
}

TEST_CASE("tiles of a model whose own size would not join up are a little larger") {
  Json config = golden_json("models/x4-upscaler/vae/config.json");
  config["sample_size"] = 33;
  CHECK(make_autoencoder("AutoencoderKL", config)->default_tile_size() == 48);
  config["sample_size"] = {64, 32};
  CHECK(make_autoencoder("AutoencoderKL", config)->default_tile_size() == 64);
}

TEST_CASE("half precision weights decode in float32 as float32 weights of the same values do") {
  const StateDict tensors = load_safetensors(golden("modules/sdxl.safetensors"));
  // The golden weights are stored as fp16, so that fp16 keeps their values.
  const auto half = load("sdxl/vae", "AutoencoderKL", at::kHalf);
  const auto full = load("sdxl/vae", "AutoencoderKL");
  const at::Tensor& latents = tensors.at("vae.mean");
  CHECK(distance(half->decode_float32(latents), full->decode(latents)) < 1e-5);
  CHECK(distance(half->encode_float32(tensors.at("vae.image")).mean,
                 full->encode(tensors.at("vae.image")).mean) < 1e-5);
  for (const Slot& slot : half->parameters().slots()) {
    REQUIRE(slot.tensor->scalar_type() == at::kHalf);
  }
  // Latents beyond the range of fp16 overflow in fp16 alone.
  const at::Tensor huge = latents * 1e5;
  CHECK(!at::isfinite(half->decode(huge)).all().item<bool>());
  CHECK(at::isfinite(half->decode_float32(huge)).all().item<bool>());
}
