// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/lora_networks.h"

#include <ATen/ATen.h>

#include <map>

#include "base/error.h"
#include "diffusion/pipelines/adapter_targets.h"

namespace affiche::diffusion {
namespace {

const CheckpointPart& part_of(const Checkpoint& checkpoint, const char* name,
                              const std::string& what) {
  const auto found = checkpoint.parts.find(name);
  if (found != checkpoint.parts.end()) return found->second;
  fail(Cause::BadInput, what, ": expected a model with a UNet and text encoders, which LoRA files ",
       "change; found a ", checkpoint.pipeline_class, " without the part \"", name, "\"");
}

std::unique_ptr<CLIPTextModel> text_encoder_of(const CheckpointPart& part) {
  return std::make_unique<CLIPTextModel>(CLIPTextConfig::from_json(part.config, part.class_name));
}

at::ScalarType main_dtype(const StateDict& weights) {
  std::map<at::ScalarType, std::int64_t> numbers;
  for (const auto& [name, tensor] : weights) {
    if (tensor.is_floating_point()) numbers[tensor.scalar_type()] += tensor.numel();
  }
  at::ScalarType most = at::kFloat;
  for (const auto& [type, count] : numbers) {
    if (count > numbers[most]) most = type;
  }
  return most;
}

}  // namespace

LoraNetworks::LoraNetworks(const Checkpoint& checkpoint, const std::string& what) {
  const CheckpointPart& unet = part_of(checkpoint, "unet", what);
  if (unet.class_name != "UNet2DConditionModel") {
    fail(Cause::BadInput, what, ": \"unet\": expected UNet2DConditionModel, found ",
         unet.class_name);
  }
  unet_ = std::make_unique<UNet2DConditionModel>(UNet2DConditionConfig::from_json(unet.config));
  text_encoder_ = text_encoder_of(part_of(checkpoint, "text_encoder", what));
  const auto second = checkpoint.parts.find("text_encoder_2");
  if (second != checkpoint.parts.end()) text_encoder_2_ = text_encoder_of(second->second);
}

std::vector<LoraNetworks::Part> LoraNetworks::parts() const {
  std::vector<Part> parts = {{"unet", &unet_->parameters()},
                             {"text_encoder", &text_encoder_->parameters()}};
  if (text_encoder_2_) parts.push_back({"text_encoder_2", &text_encoder_2_->parameters()});
  return parts;
}

void LoraNetworks::load(const Checkpoint& checkpoint) {
  for (const Part& part : parts()) {
    const CheckpointPart& source = checkpoint.parts.at(part.name);
    part.parameters->load(source.weights, main_dtype(source.weights), at::kCPU, "",
                          source.where.string());
  }
}

void LoraNetworks::store(Checkpoint& checkpoint) const {
  for (const Part& part : parts()) {
    checkpoint.parts.at(part.name).weights = part.parameters->state_dict();
  }
}

std::vector<AdapterTarget> LoraNetworks::targets() {
  return adapter_targets(unet_->parameters(), text_encoder_->parameters(),
                         text_encoder_2_ ? &text_encoder_2_->parameters() : nullptr);
}

}  // namespace affiche::diffusion
