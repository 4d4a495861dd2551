// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "catch.h"
#include "diffusion/training/base_trainer.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/latents.h"
#include "diffusion/training/objective.h"
#include "diffusion/training/text_trainer.h"
#include "diffusion/weights/safetensors.h"
#include "small_model.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("a text encoder learns what captions tell", "[training]") {
  const Folder folder;
  write_small_model(folder.path() / "m");
  TextTraining training;
  training.model = folder.path() / "m";
  training.batch = 12;
  training.loop = steps(folder.path() / "work", 30);
  train_text(training, {});
  const std::vector<double> found = losses(folder.path() / "work");
  REQUIRE(found.size() == 30);
  CHECK((found[27] + found[28] + found[29]) < 0.7 * (found[0] + found[1] + found[2]));
  CHECK(std::filesystem::exists(folder.path() / "m/text_encoder/model.safetensors"));
}

TEST_CASE("a UNet learns with the text encoder kept as it is, or with it", "[training]") {
  const bool frozen = GENERATE(true, false);
  const Folder folder;
  const auto model = folder.path() / "m";
  write_small_model(model);
  TextTraining text;
  text.model = model;
  text.batch = 2;
  text.loop = steps(folder.path() / "text", 1);
  train_text(text, {});
  // Latents of one flat value a picture stand for an autoencoder's.
  LatentSet set;
  set.latents = at::linspace(-1, 1, 6).view({6, 1, 1, 1}).expand({6, 4, 8, 8}).to(at::kBFloat16);
  set.latents = set.latents.contiguous();
  set.scenes = {1, 2, 3, 4, 5, 6};
  save_latents(folder.path() / "a.safetensors", set);
  const StateDict before = copied(model / "text_encoder/model.safetensors");
  BaseTraining training;
  training.loop = steps(folder.path() / "unet", 40);
  training.loop.learning_rate = 4e-3;
  training.model = model;
  training.latents = {folder.path() / "a.safetensors"};
  training.batch = 6;
  training.freeze_text = frozen;
  training.optimizer = frozen ? OptimizerState::Muon : OptimizerState::Full;
  training.type = at::kFloat;
  training.average_decay = 0.5;
  train_base(training, {}, {});
  const std::vector<double> found = losses(folder.path() / "unet");
  REQUIRE(found.size() == 40);
  CHECK((found[37] + found[38] + found[39]) < 0.8 * (found[0] + found[1] + found[2]));
  double change = 0;
  for (const auto& [name, tensor] : copied(model / "text_encoder/model.safetensors"))
    change = std::max(change, (tensor - before.at(name)).abs().max().item<double>());
  CHECK((change == 0) == frozen);
  // A checkpoint gives the same weights again.
  const StateDict written = copied(model / "unet/diffusion_pytorch_model.safetensors");
  std::filesystem::remove(model / "unet/diffusion_pytorch_model.safetensors");
  export_base(folder.path() / "unet/checkpoint.safetensors", model);
  for (const auto& [name, tensor] : copied(model / "unet/diffusion_pytorch_model.safetensors"))
    REQUIRE(at::equal(tensor, written.at(name)));
}

TEST_CASE("a set of latents gives those of the chosen families", "[training]") {
  LatentSet set;
  for (std::uint64_t scene = 1; scene <= 60; ++scene) set.scenes.push_back(scene);
  set.latents = at::arange(60).view({60, 1, 1, 1}).to(at::kBFloat16);
  const std::vector<Family> families = {Family::Aurora, Family::SoftWaves, Family::BokehLights};
  const LatentSet chosen = set.of(families);
  CHECK(set.of({}).size() == 60);
  std::int64_t expected = 0;
  for (std::uint64_t scene = 1; scene <= 60; ++scene)
    expected += std::count(families.begin(), families.end(), random_scene(scene).family);
  REQUIRE(expected > 0);
  REQUIRE(chosen.size() == expected);
  for (std::int64_t i = 0; i < chosen.size(); ++i) {
    const std::uint64_t scene = chosen.scenes[static_cast<std::size_t>(i)];
    CHECK(std::count(families.begin(), families.end(), random_scene(scene).family) == 1);
    CHECK(chosen.latents[i].item<double>() == static_cast<double>(scene - 1));
  }
}

TEST_CASE("a shift above 1 draws more steps near noise", "[training]") {
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const auto mean_step = [&](double shift) {
    double mean = 0;
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      mean = t.to(at::kDouble).mean().item<double>();
      CHECK(t.min().item<std::int64_t>() >= 0);
      CHECK(t.max().item<std::int64_t>() <= 999);
      return at::zeros_like(x);
    };
    velocity_loss(schedule, predict, at::zeros({200, 1, 1, 1}), step_generator(1, 1), 0, shift);
    return mean;
  };
  CHECK(std::fabs(mean_step(1) - 499.5) < 5);
  // The mean of s u / (1 + (s - 1) u) over u is s / (s - 1) - s ln s / (s - 1)^2: 0.614 for 2.
  CHECK(std::fabs(mean_step(2) - 613.7) < 5);
}

TEST_CASE("what a caption tells agrees with its words", "[training]") {
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Scene scene = random_scene(i);
    const Told told = told_of(scene, i * 7);
    const std::string text = caption(told);
    REQUIRE(text == caption(scene, i * 7));
    const std::string family(family_names()[static_cast<std::size_t>(scene.family)]);
    REQUIRE(text.starts_with(family) == told.family);
    const std::string light(light_names()[static_cast<std::size_t>(told.scene.light)]);
    REQUIRE(text.find(light) != std::string::npos);
  }
}
