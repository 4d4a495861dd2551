// SPDX-License-Identifier: Apache-2.0
#include "bench/random_lora.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "base/error.h"

namespace affiche::bench {

std::shared_ptr<const diffusion::LoraFile> random_lora(const diffusion::Parameters& unet,
                                                       std::int64_t rank, std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  constexpr std::string_view kWeight = ".weight";
  diffusion::StateDict tensors;
  for (const diffusion::Slot& slot : unet.slots()) {
    const bool transformer = slot.name.find(".attentions.") != std::string::npos;
    if (!transformer || !slot.name.ends_with(kWeight) || slot.shape.size() < 2) continue;
    const std::string module = diffusion::kohya_module(
        "lora_unet", slot.name.substr(0, slot.name.size() - kWeight.size()));
    const auto normal = [&](std::int64_t rows, std::int64_t columns) {
      return at::randn({rows, columns}, generator).mul_(0.02).to(at::kHalf);
    };
    tensors[module + ".lora_down.weight"] = normal(rank, slot.shape[1]);
    tensors[module + ".lora_up.weight"] = normal(slot.shape[0], rank);
    tensors[module + ".alpha"] = at::scalar_tensor(static_cast<double>(rank), at::kFloat);
  }
  return std::make_shared<const diffusion::LoraFile>(
      diffusion::parse_lora(tensors, {}, concat("random rank ", rank, ", seed ", seed)));
}

}  // namespace affiche::bench
