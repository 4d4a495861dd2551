// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/text_to_latents.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/files.h"
#include "base/json.h"
#include "diffusion/nn/init.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/trajectory.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

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

Velocity TextToLatents::guided(const std::vector<std::string>& prompts, double guidance) const {
  const bool alone = guidance == 1;
  at::Tensor context = embed(prompts);
  if (!alone) context = at::cat({context, embed(std::vector<std::string>(prompts.size()))});
  context = context.to(unet.parameters().slots().front().tensor->scalar_type());
  return [=, this](const at::Tensor& x, const at::Tensor& t) {
    const at::Tensor sample = (alone ? x : at::cat({x, x})).to(context.scalar_type());
    const at::Tensor v = unet.forward(sample.contiguous(at::MemoryFormat::ChannelsLast),
                                      alone ? t : at::cat({t, t}), context)
                             .to(at::kFloat);
    if (alone) return v;
    const at::Tensor free = v.slice(0, x.size(0));
    return free + guidance * (v.slice(0, 0, x.size(0)) - free);
  };
}

at::Tensor TextToLatents::generate(const AutoencoderKL& vae,
                                   const std::vector<std::string>& prompts, int width, int height,
                                   int steps, double guidance, std::uint64_t seed) const {
  const c10::NoGradGuard no_grad;
  const at::Device device = unet.parameters().slots().front().tensor->device();
  const at::Tensor noise =
      at::randn({std::ssize(prompts), 4, height / 8, width / 8}, step_generator(seed, 0));
  const at::Tensor latents = sample_latents(NoiseSchedule::zero_terminal(),
                                            guided(prompts, guidance), noise.to(device), steps);
  const at::ScalarType vae_type = vae.parameters().slots().front().tensor->scalar_type();
  return vae.decode((latents / vae.config().scaling_factor).to(vae_type)).to(at::kCPU, at::kFloat);
}

const std::vector<std::string>& TextToLatents::sheet_prompts() {
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

}  // namespace affiche::diffusion
