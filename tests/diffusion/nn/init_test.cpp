// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/init.h"

#include <ATen/CPUGeneratorImpl.h>

#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("first weights are finite, of the right shape and the same for a seed") {
  UNet2DConditionModel unet(
      UNet2DConditionConfig::from_json(golden_json("models/sd21/unet/config.json")));
  AutoencoderKL vae(AutoencoderKLConfig::from_json(golden_json("models/sd21/vae/config.json")));
  CLIPTextModel text(
      CLIPTextConfig::from_json(golden_json("models/sd21/text_encoder/config.json")));
  for (Parameters* parameters : {&unet.parameters(), &vae.parameters(), &text.parameters()}) {
    initialize(*parameters, at::make_generator<at::CPUGeneratorImpl>(3));
    const StateDict first = parameters->state_dict();
    initialize(*parameters, at::make_generator<at::CPUGeneratorImpl>(3));
    for (const Slot& slot : parameters->slots()) {
      INFO(slot.name);
      CHECK(slot.tensor->sizes() == at::IntArrayRef(slot.shape));
      CHECK(at::isfinite(*slot.tensor).all().item<bool>());
      CHECK(at::equal(*slot.tensor, first.at(slot.name)));
    }
  }
  initialize(unet.parameters(), at::make_generator<at::CPUGeneratorImpl>(4));
  CHECK(unet.parameters().find("conv_out.weight")->tensor->abs().sum().item<float>() == 0.0F);
  CHECK(unet.parameters().find("conv_in.weight")->tensor->std().item<float>() > 0.0F);
}

TEST_CASE("a freshly made text encoder and autoencoder keep signals of unit size") {
  AutoencoderKL vae(AutoencoderKLConfig::from_json(golden_json("models/sd15/vae/config.json")));
  initialize(vae.parameters(), at::make_generator<at::CPUGeneratorImpl>(3));
  const double decoded = vae.decode(at::randn({1, 4, 8, 8})).std().item<double>();
  CHECK(decoded > 0.1);
  CHECK(decoded < 10);
  CLIPTextModel text(
      CLIPTextConfig::from_json(golden_json("models/sd15/text_encoder/config.json")));
  initialize(text.parameters(), at::make_generator<at::CPUGeneratorImpl>(3));
  const double state =
      text.forward(at::arange(77).unsqueeze(0)).last_hidden_state.std().item<double>();
  CHECK(state > 0.5);
  CHECK(state < 2);
}
