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
                        at::ScalarType type, at::Device device, std::uint64_t seed) {
  if (std::filesystem::exists(weights)) {
    parameters.load(load_safetensors(weights), type, device, "", weights.string());
    return;
  }
  initialize(parameters, step_generator(seed, -1));
  for (const Slot& slot : parameters.slots()) *slot.tensor = slot.tensor->to(device, type);
}

// What a person looks at during training: families, colours, light and space, two prompts of each
// family's kind beside each other.
const std::vector<std::string>& sheet_prompts() {
  static const std::vector<std::string> prompts = {
      "soft waves, deep teal and amber, light from the left",
      "gradient mesh, ink navy, teal and coral",
      "aurora, midnight blue, turquoise and violet",
      "bokeh lights, navy and amber",
      "light leaks, black, orange and magenta",
      "paper layers, teal, sand and coral",
      "flowing ribbons, ink navy, coral and sand",
      "overlapping circles, white, sky blue and royal blue",
      "low poly, emerald and mint",
      "halftone dots, coral and sand",
      "contour lines, ink navy and teal",
      "marble veins, white, slate and honey",
      "drifting smoke, charcoal and silver, empty left",
      "isometric blocks, indigo, peach and cream",
      "bauhaus shapes, cream, red and royal blue",
      "vignette frame, forest green and sand",
  };
  return prompts;
}

class Batches {
 public:
  explicit Batches(const BaseTraining& training) : training_(training) {
    for (const auto& file : training.latents) {
      sets_.push_back(load_latents(file).of(training.families));
      if (sets_.back().size() == 0)
        fail(Cause::BadInput, file.string(),
             ": expected pictures of the chosen families, found none; give other --families or "
             "encode some");
      sets_.back().latents = sets_.back().latents.to(training.device);
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
    const at::Tensor pictures = at::empty({training_.batch}, at::kLong);
    for (int i = 0; i < training_.batch; ++i) {
      const std::int64_t picture = random.below(static_cast<int>(set.size()));
      pictures.data_ptr<std::int64_t>()[i] = picture;
      const bool dropped = random.chance(static_cast<float>(training_.drop_captions));
      batch.captions.push_back(dropped ? "" : set.caption_of(picture, random.bits()));
    }
    batch.latents = set.latents.index_select(0, pictures.to(training_.device)).to(at::kFloat);
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
  const StateDict text = trainable.averages(at::kHalf, "text.");
  if (!text.empty()) save_safetensors(model / kTextWeights, text, metadata);
}

}  // namespace

TextToLatents::TextToLatents(const std::filesystem::path& model, at::ScalarType type,
                             at::Device device, std::uint64_t seed)
    : tokenizer(CLIPTokenizer::from_folder(model / "tokenizer")),
      text(CLIPTextConfig::from_json(config_of(model / "text_encoder/config.json"))),
      unet(UNet2DConditionConfig::from_json(config_of(model / "unet/config.json"))) {
  load_or_initialize(text.parameters(), model / kTextWeights, type, device, seed);
  load_or_initialize(unet.parameters(), model / kUnetWeights, type, device, seed + 1);
}

at::Tensor TextToLatents::embed(const std::vector<std::string>& prompts) const {
  const auto length = static_cast<std::int64_t>(tokenizer.model_max_length());
  const at::Tensor ids = at::empty({std::ssize(prompts), length}, at::kLong);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<std::int64_t> row = tokenizer.encode(prompts[i]);
    std::copy(row.begin(), row.end(),
              ids.data_ptr<std::int64_t>() + std::ssize(row) * static_cast<std::int64_t>(i));
  }
  const at::Device device = text.parameters().slots().front().tensor->device();
  return text.forward(ids.to(device)).last_hidden_state;
}

at::Tensor TextToLatents::generate(const AutoencoderKL& vae,
                                   const std::vector<std::string>& prompts, int width, int height,
                                   int steps, double guidance, std::uint64_t seed) const {
  const c10::NoGradGuard no_grad;
  const auto count = std::ssize(prompts);
  const at::Tensor context =
      at::cat({embed(prompts), embed(std::vector<std::string>(prompts.size()))});
  const at::ScalarType type = context.scalar_type();
  const at::Tensor noise =
      at::randn({count, 4, height / 8, width / 8}, step_generator(seed, 0)).to(context.device());
  const Velocity guided = [&](const at::Tensor& x, const at::Tensor& t) {
    const at::Tensor both = at::cat({x, x}).to(type).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor v = unet.forward(both, at::cat({t, t}), context.to(type)).to(at::kFloat);
    const at::Tensor free = v.slice(0, count);
    return free + guidance * (v.slice(0, 0, count) - free);
  };
  const at::Tensor latents = sample_latents(NoiseSchedule::zero_terminal(), guided, noise, steps);
  const at::ScalarType vae_type = vae.parameters().slots().front().tensor->scalar_type();
  return vae.decode((latents / vae.config().scaling_factor).to(vae_type)).to(at::kCPU, at::kFloat);
}

void train_base(const BaseTraining& training, const PictureFiles& files, const LoopHooks& hooks) {
  TextToLatents nets(training.model, at::kFloat, training.device, training.loop.seed);
  const Batches batches(training);
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
    const Batches::Batch batch = batches.draw(step);
    const at::Tensor context = nets.embed(batch.captions).to(training.type);
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return nets.unet.forward(x.to(training.type).contiguous(at::MemoryFormat::ChannelsLast), t,
                               context);
    };
    return velocity_loss(schedule, predict, batch.latents, std::move(generator), training.min_snr,
                         training.shift);
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    const auto vae = load_vae(training.model, at::kFloat, training.device);
    trainable.show_averages(training.type);
    files.write(training.loop.folder / concat("sheet-", step, files.extension),
                contact_sheet(nets.generate(*vae, sheet_prompts(), 336, 176, 16, 3, 5), 4));
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
