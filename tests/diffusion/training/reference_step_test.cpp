// SPDX-License-Identifier: Apache-2.0
// Steps of a LoRA against those of peft and PyTorch (tests/reference/lora_step.py).
#include <c10/core/GradMode.h>

#include "base/files.h"
#include "base/json.h"
#include "catch.h"
#include "diffusion/goldens.h"
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

}  // namespace

TEST_CASE("steps of a LoRA are those that peft and PyTorch take", "[training][lora]") {
  const auto file = kGoldens / "training/lora_step.safetensors";
  const StateDict golden = load_safetensors(file);
  const auto settings = safetensors_metadata(file);
  const std::filesystem::path model = kGoldens / "models/sd15";
  UNet2DConditionModel unet(UNet2DConditionConfig::from_json(json_of(model / "unet/config.json")));
  unet.parameters().load(load_safetensors(model / "unet/diffusion_pytorch_model.safetensors"),
                         at::kFloat, at::kCPU);
  Parameters middle;
  for (const Slot& slot : unet.parameters().slots())
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
    return unet.forward(x, t, golden.at("context"));
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
  const std::filesystem::path model = kGoldens / "models/sd15";
  UNet2DConditionModel unet(UNet2DConditionConfig::from_json(json_of(model / "unet/config.json")));
  unet.parameters().load(load_safetensors(model / "unet/diffusion_pytorch_model.safetensors"),
                         at::kDouble, at::kCPU);
  Trainable trainable;
  LoraShape shape;
  shape.rank = 2;
  shape.alpha = 1;
  const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &unet.parameters()}};
  const LoraFactors factors(networks, trainable, shape, step_generator(1, 0));
  const StateDict golden = load_safetensors(kGoldens / "training/lora_step.safetensors");
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const auto prediction = GENERATE(Prediction::Epsilon, Prediction::Velocity, Prediction::Sample);
  const auto loss = [&] {
    const ShownBranches shown(factors.masters(at::kDouble));
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return unet.forward(x.to(at::kDouble), t, golden.at("context").to(at::kDouble));
    };
    return denoising_loss(schedule, predict, golden.at("latents"), golden.at("noise"),
                          golden.at("timesteps"), {prediction, 5});
  };
  loss().backward();
  for (const std::size_t i : {std::size_t{1}, trainable.size() / 2 | 1, trainable.size() - 1}) {
    const at::Tensor master = trainable.master(i).detach().flatten();
    const double gradient = trainable.master(i).grad().flatten()[0].item<double>();
    const auto middle = master[0].item<float>();
    const float step = 0.02F;
    const c10::NoGradGuard no_grad;
    master[0].fill_(middle + step);
    const double above = loss().item<double>();
    master[0].fill_(middle - step);
    const double slope = (above - loss().item<double>()) / (2 * static_cast<double>(step));
    master[0].fill_(middle);
    INFO(trainable.names()[i]);
    CHECK(std::fabs(slope - gradient) < 0.01 * std::fabs(gradient) + 1e-6);
  }
}
