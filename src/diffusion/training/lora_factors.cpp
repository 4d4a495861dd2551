// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/lora_factors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

constexpr std::array<std::string_view, 8> kAttention = {
    ".to_q.weight",   ".to_k.weight",   ".to_v.weight",   ".to_out.0.weight",
    ".q_proj.weight", ".k_proj.weight", ".v_proj.weight", ".out_proj.weight"};
constexpr std::array<std::string_view, 4> kFeedForward = {
    ".ff.net.0.proj.weight", ".ff.net.2.weight", ".mlp.fc1.weight", ".mlp.fc2.weight"};

template <std::size_t Count>
bool ends_with_one_of(const std::string& name, const std::array<std::string_view, Count>& ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](std::string_view end) { return name.ends_with(end); });
}

bool adapted(const Slot& slot, const LoraShape& shape) {
  return (shape.attention && ends_with_one_of(slot.name, kAttention)) ||
         (shape.feed_forward && ends_with_one_of(slot.name, kFeedForward));
}

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

std::string number(double value) {
  return Json(value).dump();
}

}  // namespace

void lay_channels_last(const Parameters& parameters) {
  for (const Slot& slot : parameters.slots())
    if (slot.shape.size() == 4)
      *slot.tensor = slot.tensor->contiguous(at::MemoryFormat::ChannelsLast);
}

LoraFactors::LoraFactors(std::span<const AdapterTarget> networks, Trainable& trainable,
                         const LoraShape& shape, at::Generator generator)
    : trainable_(trainable), shape_(shape) {
  for (const AdapterTarget& network : networks) {
    const bool unet = network.name == "unet";
    if (!unet && !shape.text_encoders) continue;
    for (const Slot& slot : network.parameters->slots()) {
      const bool convolution = unet && slot.shape.size() == 4;
      if (!adapted(slot, shape) && !(shape.convolutions && convolution)) continue;
      const std::string name =
          slot.name.substr(0, slot.name.size() - std::string(".weight").size());
      std::vector<std::int64_t> down = slot.shape, up = {slot.shape[0], shape.rank};
      down[0] = shape.rank;
      if (convolution) up.insert(up.end(), {1, 1});
      // Wide layers begin with smaller factors, so that one rate suits all.
      const auto inputs = static_cast<double>(c10::multiply_integers(down) / shape.rank);
      const double deviation = std::min(1 / static_cast<double>(shape.rank), 1 / std::sqrt(inputs));
      const at::Device device = slot.tensor->device();
      layers_.push_back(
          {network.name, network.kohya_prefixes.front(), name, slot.tensor,
           trainable.add(network.name + "." + name + ".lora_A.weight",
                         (at::randn(down, generator) * deviation).to(device)),
           trainable.add(network.name + "." + name + ".lora_B.weight", at::zeros(up).to(device))});
    }
  }
  if (layers_.empty())
    fail(Cause::Usage, "LoRA: expected at least one kind of layer to adapt, found none");
}

std::shared_ptr<const LowRankBranches> LoraFactors::masters(at::ScalarType type) const {
  auto branches = std::make_shared<LowRankBranches>();
  for (const Layer& layer : layers_)
    (*branches)[layer.slot] = {(trainable_.master(layer.down) * scale()).to(type),
                               trainable_.master(layer.up).to(type)};
  return branches;
}

std::shared_ptr<const LowRankBranches> LoraFactors::averages(at::ScalarType type) const {
  auto branches = std::make_shared<LowRankBranches>();
  for (const Layer& layer : layers_)
    (*branches)[layer.slot] = {(trainable_.average(layer.down) * scale()).to(type),
                               trainable_.average(layer.up).to(type)};
  return branches;
}

StateDict LoraFactors::file_tensors(LoraLayout layout) const {
  if (layout == LoraLayout::Peft) return trainable_.averages(at::kHalf, "");
  StateDict tensors;
  for (const Layer& layer : layers_) {
    const std::string name = layer.kohya + "_" + with_underscores(layer.name);
    tensors[name + ".lora_down.weight"] = trainable_.average(layer.down).to(at::kHalf);
    tensors[name + ".lora_up.weight"] = trainable_.average(layer.up).to(at::kHalf);
    tensors[name + ".alpha"] = at::scalar_tensor(shape_.alpha, at::kFloat).to(at::kHalf);
  }
  return tensors;
}

std::map<std::string, std::string> LoraFactors::file_metadata(LoraLayout layout) const {
  if (layout == LoraLayout::Kohya)
    return {{"ss_network_module", "networks.lora"},
            {"ss_network_dim", std::to_string(shape_.rank)},
            {"ss_network_alpha", number(shape_.alpha)}};
  Json settings = Json::object();
  std::map<std::string, std::set<std::string>> modules;
  // Readers match the ends of names: transformers 5 has no "text_model." before them, 4 has.
  const std::string wrapper = "text_model.";
  for (const Layer& layer : layers_)
    modules[layer.network].insert(
        layer.name.starts_with(wrapper) ? layer.name.substr(wrapper.size()) : layer.name);
  for (const auto& [network, names] : modules) {
    settings[network + ".r"] = shape_.rank;
    settings[network + ".lora_alpha"] = shape_.alpha;
    settings[network + ".target_modules"] = names;
  }
  return {{"format", "pt"}, {"lora_adapter_metadata", settings.dump()}};
}

}  // namespace affiche::diffusion
