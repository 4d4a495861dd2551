// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/distiller.h"

#include <ATen/ATen.h>

#include "catch.h"
#include "diffusion/training/latents.h"
#include "diffusion/training/text_to_latents.h"
#include "diffusion/training/trajectory.h"
#include "diffusion/weights/safetensors.h"
#include "small_model.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;
using test::contains;
using test::thrown;

namespace {

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

at::Tensor random(std::int64_t count, std::uint64_t seed) {
  return at::randn({count, 4, 3, 5}, step_generator(seed, 0));
}

// A teacher that bends its way, so that more steps end elsewhere.
at::Tensor bent(const at::Tensor& x, const at::Tensor& timesteps) {
  return at::sin(2 * x) + timesteps.view({-1, 1, 1, 1}) / 1000.0;
}

}  // namespace

TEST_CASE("the velocity between two places of a trajectory leads from one to the other",
          "[training]") {
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const at::Tensor x = random(3, 1), y = random(3, 2);
  const at::Tensor from = at::tensor({999, 500, 60}, at::kLong);
  const at::Tensor to = at::tensor({874, -1, 59}, at::kLong);
  const at::Tensor velocity = velocity_between(schedule, x, from, y, to);
  CHECK(difference(ddim_step(schedule, x, velocity, from, to), y) < 1e-3);
}

TEST_CASE("a student of a teacher that knows the picture learns its velocity", "[training]") {
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const at::Tensor picture = random(8, 3), noise = random(8, 4);
  const at::Tensor k = at::arange(8, at::kLong);
  const auto at_steps = [](const at::Tensor& table, const at::Tensor& timesteps) {
    return table.index_select(0, timesteps).view({-1, 1, 1, 1});
  };
  const Velocity knowing = [&](const at::Tensor& x, const at::Tensor& t) {
    return (at_steps(schedule.signal, t) * x - picture) / at_steps(schedule.noise, t);
  };
  const StudentStep step = student_step(schedule, knowing, picture, noise, k, 8, 3);
  const at::Tensor velocity = at_steps(schedule.signal, step.timesteps) * noise -
                              at_steps(schedule.noise, step.timesteps) * picture;
  CHECK(difference(step.velocity, velocity) < 1e-4);
}

TEST_CASE("a student's step from noise ends where its teacher's steps end", "[training]") {
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  const at::Tensor noise = random(2, 5), none = at::zeros({2}, at::kLong);
  // One step for the whole way: the end is what the teacher samples in four.
  const StudentStep step = student_step(schedule, bent, random(2, 6), noise, none, 1, 4);
  CHECK(at::equal(step.timesteps, at::full({2}, 999, at::kLong)));
  const at::Tensor end =
      ddim_step(schedule, step.sample, step.velocity, step.timesteps, at::full({2}, -1, at::kLong));
  CHECK(difference(end, sample_latents(schedule, bent, noise, 4)) < 1e-4);
  CHECK(difference(end, sample_latents(schedule, bent, noise, 1)) > 1e-2);
}

TEST_CASE("distilling writes a LoRA that comes nearer to its teacher", "[training]") {
  const Folder folder;
  const auto model = folder.path() / "m";
  write_small_model(model);
  StateDict weights;
  const TextToLatents nets(model, at::kFloat, at::kCPU, 1);
  for (const Slot& slot : nets.unet.parameters().slots()) weights[slot.name] = *slot.tensor;
  LatentSet set;
  set.latents = at::linspace(-1, 1, 6).view({6, 1, 1, 1}).expand({6, 4, 8, 8}).to(at::kBFloat16);
  set.latents = set.latents.contiguous();
  set.scenes = {1, 2, 3, 4, 5, 6};
  save_latents(folder.path() / "a.safetensors", set);
  Distillation training;
  training.loop = steps(folder.path() / "work", 40);
  training.loop.learning_rate = 4e-3;
  training.model = model;
  training.latents = {folder.path() / "a.safetensors"};
  training.out = folder.path() / "few.safetensors";
  training.rank = 4;
  training.batch = 8;
  training.guidance = 5;
  training.type = at::kFloat;
  CHECK(contains(thrown([&] { distil(training, {}, {}); }), "expected weights of the UNet"));
  save_safetensors(model / kUnetWeights, weights, {});
  training.teacher_steps = 100;
  CHECK(contains(thrown([&] { distil(training, {}, {}); }), "at most 500 steps of the teacher"));
  training.teacher_steps = 2;
  distil(training, {}, {});
  const std::vector<double> found = losses(folder.path() / "work");
  REQUIRE(found.size() == 40);
  CHECK((found[37] + found[38] + found[39]) < 0.8 * (found[0] + found[1] + found[2]));
  const StateDict written = load_safetensors(training.out);
  CHECK(written.contains("unet.conv_in.lora_A.weight"));
  CHECK(written.contains(
      "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_B.weight"));

  Json scheduler = parse_json(read_text(model / "scheduler/scheduler_config.json"), "scheduler");
  scheduler["prediction_type"] = "epsilon";
  write_atomically(model / "scheduler/scheduler_config.json", scheduler.dump());
  CHECK(contains(thrown([&] { distil(training, {}, {}); }),
                 "expected a model that predicts velocities, found epsilon"));
}
