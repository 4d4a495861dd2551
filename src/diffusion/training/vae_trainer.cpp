// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/vae_trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/nn/init.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/pictures.h"
#include "diffusion/training/vae_start.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

constexpr const char* kWeights = "diffusion_pytorch_model.safetensors";

// Windows of random pictures of all families, the demo brand's included: its pictures must decode.
at::Tensor drawn_crops(int count, int picture, int crop, std::uint64_t seed) {
  std::vector<at::Tensor> crops(static_cast<std::size_t>(count));
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      Random random(seed + static_cast<std::uint64_t>(i));
      const auto family = random.below(static_cast<int>(family_names().size()));
      const Scene scene = random_scene(random.bits(), static_cast<Family>(family));
      const Window window = {random.below(picture - crop + 1), random.below(picture - crop + 1),
                             crop, crop};
      crops[static_cast<std::size_t>(i)] = tensor_of(draw(scene, picture, picture, window));
    }
  });
  return at::stack(crops);
}

at::Tensor gradient_difference(const at::Tensor& p, const at::Tensor& q) {
  const at::Tensor d = p - q;
  return (d.slice(3, 1) - d.slice(3, 0, -1)).abs().mean() +
         (d.slice(2, 1) - d.slice(2, 0, -1)).abs().mean();
}

at::Tensor vae_input(const at::Tensor& pictures, const VaeTraining& training) {
  return pictures.to(training.device, training.type).contiguous(at::MemoryFormat::ChannelsLast);
}

// 1 / standard deviation of the latents' means over 64 pictures.
double measured_scaling(const AutoencoderKL& vae, const VaeTraining& training) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> means;
  for (std::uint64_t i = 0; i < 8; ++i)
    means.push_back(
        vae.encode(vae_input(drawn_crops(8, training.picture, training.crop, 7'000'000 + 100 * i),
                             training))
            .mean.to(at::kFloat));
  return 1 / at::cat(means).std().item<double>();
}

void write_vae(const AutoencoderKL& vae, const Trainable& trainable, const VaeTraining& training) {
  const std::filesystem::path folder = training.model / "vae";
  StateDict weights;
  if (training.decoder_only) weights = load_safetensors(folder / kWeights);
  for (auto& [name, tensor] : trainable.averages(at::kHalf, "")) weights[name] = tensor;
  for (auto& [name, tensor] : weights)
    tensor = tensor.clone();  // not mapped from the file replaced
  save_safetensors(folder / kWeights, weights, {{"format", "pt"}});
  if (training.decoder_only) return;
  Json config = parse_json(read_text(folder / "config.json"), "vae/config.json");
  config["scaling_factor"] = measured_scaling(vae, training);
  write_atomically(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace

at::Tensor reconstruction_loss(const at::Tensor& picture, const at::Tensor& target) {
  at::Tensor p = picture, q = target;
  at::Tensor loss = (p - q).abs().mean() + gradient_difference(p, q);
  for (int scale = 1; scale <= 3; ++scale) {
    p = at::avg_pool2d(p, 2);
    q = at::avg_pool2d(q, 2);
    if (scale < 3) loss = loss + 0.5 * gradient_difference(p, q);
  }
  return loss + (p - q).abs().mean();
}

std::unique_ptr<AutoencoderKL> load_vae(const std::filesystem::path& model, at::ScalarType type,
                                        at::Device device) {
  const std::filesystem::path folder = model / "vae";
  const Json json =
      parse_json(read_text(folder / "config.json"), (folder / "config.json").string());
  auto vae = std::make_unique<AutoencoderKL>(AutoencoderKLConfig::from_json(json));
  vae->parameters().load(load_safetensors(folder / kWeights), type, device);
  return vae;
}

void train_vae(const VaeTraining& training, const PictureFiles& files, const LoopHooks& hooks) {
  const std::filesystem::path folder = training.model / "vae";
  const Json json =
      parse_json(read_text(folder / "config.json"), (folder / "config.json").string());
  AutoencoderKL vae(AutoencoderKLConfig::from_json(json));
  if (std::filesystem::exists(folder / kWeights)) {
    vae.parameters().load(load_safetensors(folder / kWeights), at::kFloat, training.device);
  } else {
    initialize(vae.parameters(), step_generator(training.loop.seed, -1));
    start_as_box_filter(vae);
    for (const Slot& slot : vae.parameters().slots())
      *slot.tensor = slot.tensor->to(training.device);
  }

  Trainable trainable;
  trainable.adopt(vae.parameters(), "", [&](const std::string& slot) {
    return !training.decoder_only || slot.starts_with("decoder.") ||
           slot.starts_with("post_quant_conv.");
  });
  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, at::Generator generator) {
    trainable.show_masters(training.type);
    const auto seed = Random::mix(training.loop.seed) + 1000 * static_cast<std::uint64_t>(step);
    const at::Tensor target =
        drawn_crops(training.batch, training.picture, training.crop, seed).to(training.device);
    const AutoencoderKL::Moments moments = vae.encode(vae_input(target, training));
    const at::Tensor mean = moments.mean.to(at::kFloat), logvar = moments.logvar.to(at::kFloat);
    const auto cpu = at::TensorOptions(at::kFloat);
    const at::Tensor noise = at::randn(mean.sizes(), generator, cpu).to(training.device);
    const at::Tensor deviation =
        at::exp(0.5 * logvar) +
        training.latent_noise *
            at::rand({mean.size(0), 1, 1, 1}, generator, cpu).to(training.device);
    const at::Tensor latents = mean + deviation * noise;
    const at::Tensor picture = vae.decode(latents.to(training.type)).to(at::kFloat);
    const at::Tensor divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean();
    return reconstruction_loss(picture, target) + training.kl_weight * divergence;
  };
  own.sheet = [&](std::int64_t step) {
    const c10::NoGradGuard no_grad;
    trainable.show_averages(training.type);
    const at::Tensor target = drawn_crops(14, training.picture, training.crop, 4242);
    const at::Tensor picture = vae.decode(vae.encode(vae_input(target, training)).mean);
    const at::Tensor both = at::stack({target, picture.to(at::kCPU, at::kFloat)}, 1);
    files.write(training.loop.folder / concat("sheet-", step, files.extension),
                contact_sheet(both.flatten(0, 1), 7 * 2));
    write_vae(vae, trainable, training);
  };
  run_loop(training.loop, trainable, own);
  trainable.show_averages(training.type);
  write_vae(vae, trainable, training);
}

}  // namespace affiche::diffusion
