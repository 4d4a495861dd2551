// SPDX-License-Identifier: Apache-2.0
// Steps of a LoRA against those of peft and PyTorch (tests/reference/lora_step.py).
#include <c10/core/GradMode.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "base/files.h"
#include "base/json.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/lora_factors.h"
#include "diffusion/training/objective.h"
#include "diffusion/weights/safetensors.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

const std::filesystem::path kGoldens =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens";

Json json_of(const std::filesystem::path& file) {
  return parse_json(read_text(file), file.string());
}

std::unique_ptr<UNet2DConditionModel> sd15_unet(at::ScalarType type) {
  const std::filesystem::path model = kGoldens / "models/sd15";
  auto unet = std::make_unique<UNet2DConditionModel>(
      UNet2DConditionConfig::from_json(json_of(model / "unet/config.json")));
  unet->parameters().load(load_safetensors(model / "unet/diffusion_pytorch_model.safetensors"),
                          type, at::kCPU);
  return unet;
}

// Central differences of the loss against backward(), for the entry of each master that moves it
// most.
void check_slopes(Trainable& trainable, const std::function<at::Tensor()>& loss,
                  const std::vector<std::size_t>& chosen) {
  loss().backward();
  for (const std::size_t i : chosen) {
    INFO(trainable.names()[i]);
    const at::Tensor gradients = trainable.master(i).grad().flatten();
    const auto entry = gradients.abs().argmax().item<std::int64_t>();
    const auto gradient = gradients[entry].item<double>();
    REQUIRE(gradient != 0);
    const c10::NoGradGuard no_grad;
    const at::Tensor master = trainable.master(i).detach().flatten();
    const auto middle = master[entry].item<float>();
    const float step = 0.02F;
    master[entry].fill_(middle + step);
    const double above = loss().item<double>();
    master[entry].fill_(middle - step);
    const double slope = (above - loss().item<double>()) / (2 * static_cast<double>(step));
    master[entry].fill_(middle);
    CHECK(std::fabs(slope - gradient) < 0.01 * std::fabs(gradient) + 1e-6);
  }
}

}  // namespace

TEST_CASE("steps of a LoRA are those that peft and PyTorch take", "[training][lora]") {
  const auto file = kGoldens / "training/lora_step.safetensors";
  const StateDict golden = load_safetensors(file);
  const auto settings = safetensors_metadata(file);
  const std::filesystem::path model = kGoldens / "models/sd15";
  const auto unet = sd15_unet(at::kFloat);
  Parameters middle;
  for (const Slot& slot : unet->parameters().slots())
    if (slot.name.starts_with("mid_block.")) middle.add(slot.name, *slot.tensor, slot.shape);

  Trainable trainable;
  LoraShape shape;
  shape.rank = std::stoll(settings.at("rank"));
  shape.alpha = std::stod(settings.at("alpha"));
  shape.convolutions = true;
  const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &middle}};
  const LoraFactors factors(networks, trainable, shape, step_generator(1, 0));
  REQUIRE(factors.layers() == 16);
  StateDict state = trainable.state();
  for (const std::string& name : trainable.names())
    state["master." + name] = golden.at("before." + name);
  trainable.restore(state);

  const Json scheduler = json_of(model / "scheduler/scheduler_config.json");
  const NoiseSchedule schedule = NoiseSchedule::of_scheduler(scheduler);
  const LossOptions options{prediction_of(scheduler), std::stod(settings.at("min_snr"))};
  const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
    return unet->forward(x, t, golden.at("context"));
  };
  for (std::int64_t step = 0; step < 2; ++step) {
    const ShownBranches shown(factors.masters(at::kFloat));
    const at::Tensor loss = denoising_loss(schedule, predict, golden.at("latents"),
                                           golden.at("noise"), golden.at("timesteps"), options);
    loss.backward();
    const double expected = golden.at("losses")[step].item<double>();
    CHECK(std::fabs(loss.item<double>() - expected) < 1e-5 * expected);
    const double norm = trainable.update(std::stod(settings.at("rate")));
    CHECK(std::fabs(norm - golden.at("norms")[step].item<double>()) < 1e-3 * norm);
  }
  double way_in_all = 0;
  for (std::size_t i = 0; i < trainable.size(); ++i) {
    INFO(trainable.names()[i]);
    const at::Tensor off =
        (trainable.master(i).detach() - golden.at("after." + trainable.names()[i])).abs();
    const at::Tensor way =
        (golden.at("after." + trainable.names()[i]) - golden.at("before." + trainable.names()[i]))
            .abs();
    way_in_all += way.mean().item<double>() / static_cast<double>(trainable.size());
    // Where a gradient is next to nothing, rounding decides the sign of Adam's step.
    CHECK(off.mean().item<double>() < 1e-4);
    CHECK((off > 1e-4).to(at::kFloat).mean().item<double>() < 0.02);
  }
  CHECK(way_in_all > 5e-3);  // two steps at a rate of 1e-2 are no rounding
}

TEST_CASE("the gradient of a factor is the slope of the loss", "[training][lora]") {
  const auto unet = sd15_unet(at::kDouble);
  Trainable trainable;
  LoraShape shape;
  shape.rank = 2;
  shape.alpha = 1;
  const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &unet->parameters()}};
  const LoraFactors factors(networks, trainable, shape, step_generator(1, 0));
  const StateDict golden = load_safetensors(kGoldens / "training/lora_step.safetensors");
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const auto prediction = GENERATE(Prediction::Epsilon, Prediction::Velocity, Prediction::Sample);
  const auto loss = [&] {
    const ShownBranches shown(factors.masters(at::kDouble));
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return unet->forward(x.to(at::kDouble), t, golden.at("context").to(at::kDouble));
    };
    return denoising_loss(schedule, predict, golden.at("latents"), golden.at("noise"),
                          golden.at("timesteps"), {prediction, 5});
  };
  check_slopes(trainable, loss, {1, trainable.size() / 2 | 1, trainable.size() - 1});
}

TEST_CASE("the factors of convolutions and text encoders have the loss's slopes too",
          "[training][lora]") {
  const std::filesystem::path model = kGoldens / "models/sd15";
  const auto unet = sd15_unet(at::kDouble);
  CLIPTextModel text(CLIPTextConfig::from_json(json_of(model / "text_encoder/config.json")));
  text.parameters().load(load_safetensors(model / "text_encoder/model.safetensors"), at::kDouble,
                         at::kCPU);
  Trainable trainable;
  LoraShape shape;
  shape.rank = 2;
  shape.alpha = 2;
  shape.convolutions = shape.text_encoders = true;
  const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &unet->parameters()},
                                               {"text_encoder", {"lora_te"}, &text.parameters()}};
  const LoraFactors factors(networks, trainable, shape, step_generator(1, 0));
  const StateDict golden = load_safetensors(kGoldens / "training/lora_step.safetensors");
  const at::Tensor ids = at::arange(3 * 7).view({3, 7}).remainder(50);
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const auto loss = [&] {
    const ShownBranches shown(factors.masters(at::kDouble));
    const at::Tensor context = text.forward(ids).last_hidden_state;
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return unet->forward(x.to(at::kDouble), t, context);
    };
    return denoising_loss(schedule, predict, golden.at("latents"), golden.at("noise"),
                          golden.at("timesteps"), {Prediction::Velocity, 0});
  };
  // A of the one kind learns nothing while B is zero: both begin as after some steps.
  for (std::size_t i = 0; i < trainable.size(); ++i) {
    const c10::NoGradGuard no_grad;
    if (trainable.names()[i].ends_with("lora_B.weight")) {
      trainable.master(i).normal_(0, 0.05, step_generator(2, static_cast<std::int64_t>(i)));
    }
  }
  std::vector<std::size_t> chosen;
  for (const std::string part :
       {"unet.conv_in.lora_A", "unet.conv_in.lora_B", "conv1.lora_A", "conv2.lora_B",
        "conv_shortcut.lora_A", "downsamplers.0.conv.lora_A", "upsamplers.0.conv.lora_B",
        "k_proj.lora_A", "out_proj.lora_B", "mlp.fc1.lora_A", "mlp.fc2.lora_B"}) {
    CAPTURE(part);
    const auto found =
        std::find_if(trainable.names().begin(), trainable.names().end(),
                     [&](const std::string& name) { return name.find(part) != name.npos; });
    REQUIRE(found != trainable.names().end());
    chosen.push_back(static_cast<std::size_t>(found - trainable.names().begin()));
  }
  check_slopes(trainable, loss, chosen);
}
