// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/latent_preview.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

at::Tensor pixel(const std::vector<float>& latent, LatentFamily family) {
  return latent_to_rgb(at::tensor(latent).view({1, 4, 1, 1}), family).view({3});
}

std::unique_ptr<Autoencoder> shipped_vae() {
  const std::filesystem::path folder =
      std::filesystem::path(AFFICHE_SOURCE_DIR) / "assets/models/affiche-mini/vae";
  auto vae = make_autoencoder("AutoencoderKL",
                              parse_json(read_text(folder / "config.json"), "config.json", true));
  vae->parameters().load(load_safetensors(folder / "diffusion_pytorch_model.safetensors"),
                         at::kFloat, at::kCPU);
  return vae;
}

}  // namespace

TEST_CASE("latents become colours by the published factors") {
  const auto sd = LatentFamily::StableDiffusion, xl = LatentFamily::StableDiffusionXL;
  CHECK(at::equal(pixel({0, 0, 0, 0}, sd), at::tensor({128, 128, 128}).to(at::kByte)));
  CHECK(at::equal(pixel({1, 0, 0, 0}, sd), at::tensor({165, 154, 154}).to(at::kByte)));
  CHECK(at::equal(pixel({0, 0, 0, 9}, sd), at::tensor({0, 0, 0}).to(at::kByte)));
  CHECK(at::equal(pixel({0, 0, 0, 0}, xl), at::tensor({150, 140, 130}).to(at::kByte)));
  CHECK(at::equal(pixel({0, 1, 0, 0}, xl), at::tensor({90, 135, 140}).to(at::kByte)));
  CHECK(at::equal(pixel({NAN, 0, 0, 0}, xl), at::tensor({0, 0, 0}).to(at::kByte)));
}

TEST_CASE("previews are pictures of the size of the latents") {
  const at::Tensor rgb = latent_to_rgb(at::randn({2, 4, 5, 7}), LatentFamily::StableDiffusion);
  CHECK(rgb.sizes() == at::IntArrayRef({2, 5, 7, 3}));
  CHECK(rgb.scalar_type() == at::kByte);
  CHECK(rgb.is_contiguous());
  CHECK_THROWS_AS(latent_to_rgb(at::randn({2, 16, 5, 7}), LatentFamily::StableDiffusion), Error);
  CHECK_THROWS_AS(latent_to_rgb(at::randn({4, 5, 7}), LatentFamily::StableDiffusion), Error);
}

TEST_CASE("a preview learned from an autoencoder shows nearly what it decodes") {
  const auto vae = shipped_vae();
  const LatentPreview preview(*vae);
  // Smooth latents of a picture that it has not seen: a ramp from one colour to another.
  const at::Tensor ramp = at::linspace(-0.8, 0.8, 192).view({1, 1, 192}).expand({1, 128, 192});
  const at::Tensor picture = at::stack({ramp, -ramp, 0.5 * ramp + 0.2}, 1);
  const at::Tensor latents = vae->encode(picture).mean;
  const at::Tensor decoded =
      (at::adaptive_avg_pool2d(vae->decode(latents), {16, 24}) + 1).mul(127.5).clamp(0, 255);
  const at::Tensor seen = preview(latents).to(at::kFloat).permute({0, 3, 1, 2});
  CHECK((seen - decoded).abs().mean().item<float>() < 12);
  const at::Tensor sd =
      latent_to_rgb(latents * vae->scaling_factor(), LatentFamily::StableDiffusion);
  CHECK((sd.to(at::kFloat).permute({0, 3, 1, 2}) - decoded).abs().mean().item<float>() > 24);
}
