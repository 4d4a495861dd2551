// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/latents.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "base/error.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

at::Tensor encoded(const AutoencoderKL& vae, const at::Tensor& pictures) {
  const c10::NoGradGuard no_grad;
  const at::Tensor& weight = *vae.parameters().slots().front().tensor;
  const at::Tensor input =
      pictures.to(weight.device(), weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
  return (vae.encode(input).mean * vae.config().scaling_factor)
      .to(at::kCPU, at::kBFloat16)
      .contiguous();
}

bool wanted(std::uint64_t scene, const std::vector<Family>& families) {
  return families.empty() ||
         std::find(families.begin(), families.end(), random_scene(scene).family) != families.end();
}

}  // namespace

LatentSet LatentSet::of(const std::vector<Family>& families) const {
  if (families.empty()) return *this;
  LatentSet chosen;
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < size(); ++i) {
    const std::uint64_t scene = scenes[static_cast<std::size_t>(i)];
    if (!wanted(scene, families)) continue;
    places.push_back(i);
    chosen.scenes.push_back(scene);
  }
  chosen.latents = latents.index_select(0, at::tensor(places));
  return chosen;
}

std::string LatentSet::caption_of(std::int64_t i, std::uint64_t variant) const {
  return caption(random_scene(scenes[static_cast<std::size_t>(i)]), variant);
}

LatentSet encode_scenes(const AutoencoderKL& vae, std::uint64_t first, std::int64_t count,
                        int width, int height, const std::vector<Family>& families,
                        const std::function<void(std::int64_t)>& progress) {
  constexpr std::int64_t kBatch = 16;
  LatentSet set;
  std::vector<at::Tensor> parts;
  for (std::uint64_t scene = first; std::ssize(set.scenes) < count; ++scene)
    if (wanted(scene, families)) set.scenes.push_back(scene);
  for (std::int64_t done = 0; done < count; done += kBatch) {
    const std::int64_t n = std::min(kBatch, count - done);
    std::vector<at::Tensor> pictures(static_cast<std::size_t>(n));
    at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        pictures[static_cast<std::size_t>(i)] = tensor_of(
            draw(random_scene(set.scenes[static_cast<std::size_t>(done + i)]), width, height));
    });
    parts.push_back(encoded(vae, at::stack(pictures)));
    if (progress) progress(done + n);
  }
  set.latents = at::cat(parts);
  return set;
}

void save_latents(const std::filesystem::path& file, const LatentSet& set) {
  const at::Tensor scenes = at::empty({set.size()}, at::kLong);
  for (std::int64_t i = 0; i < set.size(); ++i)
    scenes.data_ptr<std::int64_t>()[i] =
        static_cast<std::int64_t>(set.scenes[static_cast<std::size_t>(i)]);
  save_safetensors(file, {{"latents", set.latents}, {"scenes", scenes}});
}

LatentSet load_latents(const std::filesystem::path& file) {
  const StateDict tensors = load_safetensors(file);
  const auto latents = tensors.find("latents"), scenes = tensors.find("scenes");
  if (latents == tensors.end() || scenes == tensors.end() || latents->second.dim() != 4 ||
      scenes->second.numel() != latents->second.size(0))
    fail(Cause::BadInput, file.string(),
         ": expected latents and scenes of drawn pictures; "
         "make the file with train base encode");
  LatentSet set;
  set.latents = latents->second;
  const at::Tensor seeds = scenes->second.to(at::kLong).contiguous();
  for (std::int64_t i = 0; i < seeds.numel(); ++i)
    set.scenes.push_back(static_cast<std::uint64_t>(seeds.data_ptr<std::int64_t>()[i]));
  return set;
}

}  // namespace affiche::diffusion
