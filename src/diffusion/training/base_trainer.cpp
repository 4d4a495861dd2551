// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/base_trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/nn/init.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/vae_trainer.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

const std::filesystem::path kUnetWeights = "unet/diffusion_pytorch_model.safetensors";
const std::filesystem::path kTextWeights = "text_encoder/model.safetensors";

Json config_of(const std::filesystem::path& file) {
  return parse_json(read_text(file), file.string());
}

void load_or_initialize(Parameters& parameters, const std::filesystem::path& weights,
                        at::ScalarType type, std::uint64_t seed) {
  if (std::filesystem::exists(weights)) {
    parameters.load(load_safetensors(weights), type, at::kCPU, "", weights.string());
    return;
  }
  initialize(parameters, step_generator(seed, -1));
  for (const Slot& slot : parameters.slots()) *slot.tensor = slot.tensor->to(type);
}

// What a person looks at during training: the families and colours of the demo brand and others.
const std::vector<std::string>& sheet_prompts() {
  static const std::vector<std::string> prompts = {
      "soft waves, deep teal and amber, light from the left",
      "soft waves, ink navy, teal and coral",
      "gradient mesh, ink navy, teal and coral",
      "gradient mesh, violet and rose, bold",
      "bokeh lights, navy and amber",
      "paper grain, sand",
      "halftone dots, coral and sand",
      "low poly, emerald and mint",
      "contour lines, ink navy and teal",
      "light leaks, black, orange and magenta",
      "aurora, ink navy, turquoise and violet",
      "flowing ribbons, ink navy, coral and sand",
      "paper layers, teal, sand and coral",
      "drifting smoke, charcoal and silver, empty left half",
      "overlapping circles, white, sky blue and royal blue",
      "soft waves, red and white, light from above, calm",
  };
  return prompts;
}

class Batches {
 public:
  explicit Batches(const BaseTraining& training) : training_(training) {
    for (const auto& file : training.latents) {
      sets_.push_back(load_latents(file));
      total_ += sets_.back().size();
    }
    if (sets_.empty())
      fail(Cause::Usage, "train base unet: expected at least one --latents file, found none");
  }
  struct Batch {
    at::Tensor latents;  // float32
    std::vector<std::string> captions;
  };
  Batch draw(std::int64_t step) const {
    Random random(Random::mix(training_.loop.seed + 77) + static_cast<std::uint64_t>(step));
    std::int64_t place = random.below(static_cast<int>(total_));
    std::size_t chosen = 0;
    while (place >= sets_[chosen].size()) place -= sets_[chosen++].size();
    const LatentSet& set = sets_[chosen];
    Batch batch;
    std::vector<at::Tensor> latents;
    for (int i = 0; i < training_.batch; ++i) {
      const std::int64_t picture = random.below(static_cast<int>(set.size()));
      latents.push_back(set.latents[picture]);
      const bool dropped = random.chance(static_cast<float>(training_.drop_captions));
      batch.captions.push_back(dropped ? "" : set.caption_of(picture, random.bits()));
    }
    batch.latents = at::stack(latents).to(at::kFloat);
    return batch;
  }

 private:
  const BaseTraining& training_;
  std::vector<LatentSet> sets_;
  std::int64_t total_ = 0;
};

void export_state(const Trainable& trainable, const std::filesystem::path& model) {
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  save_safetensors(model / kUnetWeights, trainable.averages(at::kHalf, "unet."), metadata);
  save_safetensors(model / kTextWeights, trainable.averages(at::kHalf, "text."), metadata);
}

}  // namespace

TextToLatents::TextToLatents(const std::filesystem::path& model, at::ScalarType type,
                             std::uint64_t seed)
    : tokenizer(CLIPTokenizer::from_folder(model / "tokenizer")),
      text(CLIPTextConfig::from_json(config_of(model / "text_encoder/config.json"))),
      unet(UNet2DConditionConfig::from_json(config_of(model / "unet/config.json"))) {
  load_or_initialize(text.parameters(), model / kTextWeights, type, seed);
  load_or_initialize(unet.parameters(), model / kUnetWeights, type, seed + 1);
}

at::Tensor TextToLatents::embed(const std::vector<std::string>& prompts) const {
  const auto length = static_cast<std::int64_t>(tokenizer.model_max_length());
  const at::Tensor ids = at::empty({std::ssize(prompts), length}, at::kLong);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<std::int64_t> row = tokenizer.encode(prompts[i]);
    std::copy(row.begin(), row.end(),
              ids.data_ptr<std::int64_t>() + std::ssize(row) * static_cast<std::int64_t>(i));
  }
  return text.forward(ids).last_hidden_state;
}

at::Tensor TextToLatents::generate(const AutoencoderKL& vae,
                                   const std::vector<std::string>& prompts, int width, int height,
                                   int steps, double guidance, std::uint64_t seed) const {
  const c10::NoGradGuard no_grad;
  const auto count = std::ssize(prompts);
  const at::Tensor context =
      at::cat({embed(prompts), embed(std::vector<std::string>(prompts.size()))});
  const at::ScalarType type = context.scalar_type();
  const at::Tensor noise = at::randn({count, 4, height / 8, width / 8}, step_generator(seed, 0));
  const Velocity guided = [&](const at::Tensor& x, const at::Tensor& t) {
    const at::Tensor both = at::cat({x, x}).to(type).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor v = unet.forward(both, at::cat({t, t}), context).to(at::kFloat);
    const at::Tensor free = v.slice(0, count);
    return free + guidance * (v.slice(0, 0, count) - free);
  };
  const at::Tensor latents = sample_latents(NoiseSchedule::zero_terminal(), guided, noise, steps);
  const at::ScalarType vae_type = vae.parameters().slots().front().tensor->scalar_type();
  return vae.decode((latents / vae.config().scaling_factor).to(vae_type)).to(at::kFloat);
}

void train_base(const BaseTraining& training, const LoopHooks& hooks) {
  TextToLatents nets(training.model, at::kFloat, training.loop.seed);
  const auto vae = load_vae(training.model, at::kFloat);
  const Batches batches(training);
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();
  AdamOptions adam;
  adam.average_decay = training.average_decay;
  Trainable trainable(adam);
  trainable.adopt(nets.text.parameters(), "text.");
  trainable.adopt(nets.unet.parameters(), "unet.");

  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, at::Generator generator) {
    trainable.show_masters(training.type);
    const Batches::Batch batch = batches.draw(step);
    const at::Tensor context = nets.embed(batch.captions);
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return nets.unet.forward(x.to(training.type).contiguous(at::MemoryFormat::ChannelsLast), t,
                               context);
    };
    return velocity_loss(schedule, predict, batch.latents, std::move(generator), training.min_snr);
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    trainable.show_averages(training.type);
    write_ppm(training.loop.folder / concat("sheet-", step, ".ppm"),
              contact_sheet(nets.generate(*vae, sheet_prompts(), 256, 256, 12, 3.5, 5), 4));
  };
  run_loop(training.loop, trainable, own);
  export_state(trainable, training.model);
}

void export_base(const std::filesystem::path& checkpoint, const std::filesystem::path& model) {
  TextToLatents nets(model, at::kFloat, 0);
  Trainable trainable;
  trainable.adopt(nets.text.parameters(), "text.");
  trainable.adopt(nets.unet.parameters(), "unet.");
  trainable.restore(load_safetensors(checkpoint));
  export_state(trainable, model);
}

}  // namespace affiche::diffusion
