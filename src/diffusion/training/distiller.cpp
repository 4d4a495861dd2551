// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/distiller.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/nn/low_rank_branch.h"
#include "diffusion/pipelines/adapter_targets.h"
#include "diffusion/training/latent_batches.h"
#include "diffusion/training/lora_factors.h"
#include "diffusion/training/text_to_latents.h"
#include "diffusion/training/trajectory.h"
#include "diffusion/training/vae_trainer.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

// More would fall on the same timesteps.
constexpr int kMostSteps = 500;

LoraShape shape_of(const Distillation& training) {
  LoraShape shape;
  shape.rank = training.rank;
  shape.alpha = static_cast<double>(training.rank);
  shape.convolutions = true;
  return shape;
}

void save(const Distillation& training, const LoraFactors& factors) {
  std::map<std::string, std::string> metadata = factors.file_metadata();
  const Json told = {{"by", "affiche train base distil"},
                     {"model", training.model.filename().string()},
                     {"student_steps", training.student_steps},
                     {"teacher_steps", training.teacher_steps},
                     {"guidance", training.guidance},
                     {"steps", training.loop.steps},
                     {"batch", training.batch},
                     {"rate", training.loop.learning_rate},
                     {"seed", training.loop.seed}};
  metadata["affiche.training"] = told.dump();
  save_safetensors(training.out, factors.file_tensors(), metadata);
}

}  // namespace

StudentStep student_step(const NoiseSchedule& schedule, const Velocity& teacher,
                         const at::Tensor& latents, const at::Tensor& noise, const at::Tensor& k,
                         int student_steps, int teacher_steps) {
  const int fine = student_steps * teacher_steps;
  const auto timesteps_after = [&](int done) {
    const at::Tensor timesteps = at::empty_like(k);
    for (std::int64_t i = 0; i < k.size(0); ++i)
      timesteps.data_ptr<std::int64_t>()[i] = trailing_timestep(
          static_cast<int>(k.data_ptr<std::int64_t>()[i]) * teacher_steps + done, fine);
    return timesteps;
  };
  const at::Tensor first = timesteps_after(0);
  const auto at_first = [&](const at::Tensor& table) {
    return table.index_select(0, first).view({-1, 1, 1, 1}).to(latents.device());
  };
  const at::Tensor sample = at_first(schedule.signal) * latents + at_first(schedule.noise) * noise;
  at::Tensor x = sample, from = first;
  for (int j = 1; j <= teacher_steps; ++j) {
    const at::Tensor to = timesteps_after(j);
    x = ddim_step(schedule, x, teacher(x, from.to(x.device())), from, to);
    from = to;
  }
  return {sample, first.to(x.device()), velocity_between(schedule, sample, first, x, from)};
}

void distil(const Distillation& training, const PictureFiles& files, const LoopHooks& hooks) {
  if (training.student_steps * training.teacher_steps > kMostSteps)
    fail(Cause::Usage, "train base distil: expected at most ", kMostSteps,
         " steps of the teacher in all, found ", training.student_steps, " times ",
         training.teacher_steps);
  if (!std::filesystem::exists(training.model / kUnetWeights))
    fail(Cause::BadInput, training.model.string(), ": expected weights of the UNet in ",
         kUnetWeights, ", found no such file; run affiche train base unet first");
  TextToLatents nets(training.model, training.type, training.device, training.loop.seed);
  const Json scheduler = parse_json(read_text(training.model / "scheduler/scheduler_config.json"),
                                    "scheduler/scheduler_config.json");
  if (prediction_of(scheduler) != Prediction::Velocity)
    fail(Cause::Usage, training.model.string(),
         ": expected a model that predicts velocities, found ",
         scheduler.value("prediction_type", "epsilon"), "; distil takes those of train base");
  const NoiseSchedule schedule = NoiseSchedule::of_scheduler(scheduler);
  const LatentBatches batches({training.latents, training.families, training.batch, 0,
                               training.loop.seed, training.device});
  lay_channels_last(nets.unet.parameters());
  AdamOptions adam;
  adam.average_decay = 0.98;
  Trainable trainable(adam);
  const AdapterTarget unet = {"unet", {"lora_unet"}, &nets.unet.parameters()};
  const LoraFactors factors({&unet, 1}, trainable, shape_of(training),
                            step_generator(training.loop.seed, -1));

  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, at::Generator generator) {
    const LatentBatches::Batch batch = batches.draw(step);
    // Drawn on the CPU, so that every device sees the same numbers.
    const at::Tensor noise = at::randn(batch.latents.sizes(), generator, at::kFloat);
    // Spread evenly over the batch.
    const at::Tensor k = ((at::arange(training.batch, at::kFloat) + at::rand({1}, generator)) *
                          (static_cast<double>(training.student_steps) / training.batch))
                             .floor()
                             .clamp(0, training.student_steps - 1)
                             .to(at::kLong);
    const StudentStep wanted = [&] {
      const c10::NoGradGuard no_grad;
      return student_step(schedule, nets.guided(batch.captions, training.guidance), batch.latents,
                          noise.to(batch.latents.device()), k, training.student_steps,
                          training.teacher_steps);
    }();
    const ShownBranches shown(factors.masters(training.type));
    const at::Tensor predicted = nets.guided(batch.captions, 1)(wanted.sample, wanted.timesteps);
    return (predicted - wanted.velocity).square().mean();
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    const auto vae = load_vae(training.model, at::kFloat, training.device);
    const ShownBranches shown(factors.averages(training.type));
    files.write(training.loop.folder / concat("sheet-", step, files.extension),
                contact_sheet(nets.generate(*vae, TextToLatents::sheet_prompts(), 336, 176,
                                            training.student_steps, 1, 5),
                              4));
  };
  LoopOptions loop = training.loop;
  loop.settings = concat("a distillation of ", training.model.filename().string(), " to ",
                         training.student_steps, " steps, rank ", training.rank);
  run_loop(loop, trainable, own);
  save(training, factors);
}

}  // namespace affiche::diffusion
