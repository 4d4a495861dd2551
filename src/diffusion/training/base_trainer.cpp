// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/base_trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.h"
#include "diffusion/training/latent_batches.h"
#include "diffusion/training/text_to_latents.h"
#include "diffusion/training/vae_trainer.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

void export_state(const Trainable& trainable, const std::filesystem::path& model) {
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  save_safetensors(model / kUnetWeights, trainable.averages(at::kHalf, "unet."), metadata);
  const StateDict text = trainable.averages(at::kHalf, "text.");
  if (!text.empty()) save_safetensors(model / kTextWeights, text, metadata);
}

}  // namespace

void train_base(const BaseTraining& training, const PictureFiles& files, const LoopHooks& hooks) {
  TextToLatents nets(training.model, at::kFloat, training.device, training.loop.seed);
  const LatentBatches batches({training.latents, training.families, training.batch,
                               training.drop_captions, training.loop.seed, training.device});
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  AdamOptions adam;
  adam.average_decay = training.average_decay;
  adam.state = training.optimizer;
  Trainable trainable(adam);
  if (training.freeze_text)
    for (const Slot& slot : nets.text.parameters().slots())
      *slot.tensor = slot.tensor->to(training.type);
  else
    trainable.adopt(nets.text.parameters(), "text.");
  trainable.adopt(nets.unet.parameters(), "unet.");

  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, at::Generator generator) {
    trainable.show_masters(training.type);
    const LatentBatches::Batch batch = batches.draw(step);
    return velocity_loss(schedule, nets.guided(batch.captions, 1), batch.latents,
                         std::move(generator), training.min_snr, training.shift);
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    const auto vae = load_vae(training.model, at::kFloat, training.device);
    trainable.show_averages(training.type);
    files.write(
        training.loop.folder / concat("sheet-", step, files.extension),
        contact_sheet(nets.generate(*vae, TextToLatents::sheet_prompts(), 336, 176, 16, 3, 5), 4));
  };
  run_loop(training.loop, trainable, own);
  export_state(trainable, training.model);
}

void export_base(const std::filesystem::path& checkpoint, const std::filesystem::path& model) {
  const StateDict state = load_safetensors(checkpoint);
  const auto averages = [&](const Parameters& parameters, const std::string& prefix) {
    StateDict weights;
    for (const Slot& slot : parameters.slots()) {
      const auto it = state.find("average." + prefix + slot.name);
      if (it == state.end() || it->second.sizes() != at::IntArrayRef(slot.shape))
        fail(Cause::BadInput, checkpoint.string(), ": expected tensor average.", prefix, slot.name,
             " of shape ", at::IntArrayRef(slot.shape), ", found ",
             it == state.end() ? "none" : "another one",
             "; give a checkpoint of train base unet for this model");
      weights[slot.name] = it->second.to(at::kHalf).contiguous();
    }
    return weights;
  };
  const TextToLatents nets(model, at::kFloat, at::kCPU, 0);
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  save_safetensors(model / kUnetWeights, averages(nets.unet.parameters(), "unet."), metadata);
  const auto first = state.lower_bound("average.text.");
  if (first != state.end() && first->first.starts_with("average.text."))
    save_safetensors(model / kTextWeights, averages(nets.text.parameters(), "text."), metadata);
}

}  // namespace affiche::diffusion
