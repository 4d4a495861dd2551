// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/lora_trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/vae_trainer.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

bool adapted(const Slot& slot) {
  static constexpr std::array<std::string_view, 6> kEnds = {
      ".to_q.weight",     ".to_k.weight",          ".to_v.weight",
      ".to_out.0.weight", ".ff.net.0.proj.weight", ".ff.net.2.weight"};
  for (const std::string_view end : kEnds)
    if (slot.name.ends_with(end)) return true;
  return false;
}

}  // namespace

LoraFactors::LoraFactors(Parameters& unet, Trainable& trainable, std::int64_t rank,
                         bool convolutions, at::Generator generator)
    : trainable_(trainable) {
  for (const Slot& slot : unet.slots()) {
    const bool convolution = slot.shape.size() == 4;
    if (!adapted(slot) && !(convolutions && convolution)) continue;
    const std::string name = slot.name.substr(0, slot.name.size() - std::string(".weight").size());
    std::vector<std::int64_t> down = slot.shape, up = {slot.shape[0], rank};
    down[0] = rank;
    if (convolution) up.insert(up.end(), {1, 1});
    // Wide layers begin with smaller factors, so that one rate suits all.
    const auto inputs = static_cast<double>(c10::multiply_integers(down) / rank);
    const double deviation = std::min(1 / static_cast<double>(rank), 1 / std::sqrt(inputs));
    layers_.push_back(
        {name, slot.tensor, slot.tensor->to(at::kFloat),
         trainable.add("unet." + name + ".lora_A.weight", at::randn(down, generator) * deviation),
         trainable.add("unet." + name + ".lora_B.weight", at::zeros(up))});
  }
}

at::Tensor LoraFactors::adapted_weight(const Layer& layer, const at::Tensor& down,
                                       const at::Tensor& up) {
  return layer.pristine + at::matmul(up.flatten(1), down.flatten(1)).view(layer.pristine.sizes());
}

void LoraFactors::show_masters(at::ScalarType type) const {
  for (const Layer& layer : layers_)
    *layer.slot =
        adapted_weight(layer, trainable_.master(layer.down), trainable_.master(layer.up)).to(type);
}

void LoraFactors::show_averages(at::ScalarType type) const {
  for (const Layer& layer : layers_)
    *layer.slot =
        adapted_weight(layer, trainable_.average(layer.down), trainable_.average(layer.up))
            .to(type);
}

StateDict LoraFactors::file_tensors() const {
  return trainable_.averages(at::kHalf, "");
}

void train_lora(const LoraTraining& training, const PictureReader& read, const LoopHooks& hooks) {
  TextToLatents nets(training.model, training.type, 0);
  const auto vae = load_vae(training.model, at::kFloat);
  const LatentSet set = encode_folder(*vae, training.data, read, training.width, training.height);
  AdamOptions adam;
  adam.average_decay = 0.98;
  Trainable trainable(adam);
  const LoraFactors factors(nets.unet.parameters(), trainable, training.rank, training.convolutions,
                            step_generator(training.loop.seed, -1));
  const NoiseSchedule schedule = NoiseSchedule::zero_terminal();

  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, at::Generator generator) {
    factors.show_masters(training.type);
    Random random(Random::mix(training.loop.seed + 99) + static_cast<std::uint64_t>(step));
    std::vector<at::Tensor> latents;
    std::vector<std::string> captions;
    for (int i = 0; i < training.batch; ++i) {
      const std::int64_t picture = random.below(static_cast<int>(set.size()));
      latents.push_back(set.latents[picture]);
      const bool dropped = random.chance(static_cast<float>(training.drop_captions));
      captions.push_back(dropped ? "" : set.caption_of(picture, 0));
    }
    const at::Tensor context = [&] {
      const c10::NoGradGuard no_grad;
      return nets.embed(captions);
    }();
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return nets.unet.forward(x.to(training.type).contiguous(at::MemoryFormat::ChannelsLast), t,
                               context);
    };
    return velocity_loss(schedule, predict, at::stack(latents).to(at::kFloat),
                         std::move(generator));
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    factors.show_averages(training.type);
    const std::vector<std::string> prompts(
        set.captions.begin(),
        set.captions.begin() + std::min<std::ptrdiff_t>(4, std::ssize(set.captions)));
    write_ppm(training.loop.folder / concat("sheet-", step, ".ppm"),
              contact_sheet(
                  nets.generate(*vae, prompts, training.width, training.height, 12, 3.5, 5), 4));
  };
  run_loop(training.loop, trainable, own);
  save_safetensors(training.out, factors.file_tensors(), {{"format", "pt"}});
}

}  // namespace affiche::diffusion
