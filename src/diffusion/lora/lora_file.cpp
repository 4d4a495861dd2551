// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/lora_file.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "diffusion/lora/peft_config.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

// What PEFT's save_pretrained() puts before every name; the scale then lies in a file beside.
constexpr std::string_view kPeftRoot = "base_model.model.";

std::map<std::string, ModuleTensors> by_module(const StateDict& tensors, const std::string& file) {
  std::map<std::string, ModuleTensors> modules;
  for (const auto& [key, tensor] : tensors) {
    const std::optional<TensorName> name = split_tensor_name(key);
    if (!name) {
      fail(Cause::BadInput, file, ": tensor \"", key, "\": belongs to no LoRA format");
    }
    const auto module = modules.try_emplace(name->module, file, name->stem).first;
    module->second.add(name->part, key, tensor);
  }
  if (modules.empty()) fail(Cause::BadInput, file, ": expected LoRA tensors, found none");
  return modules;
}

double scale_of(const std::string& module, ModuleTensors& tensors, const at::Tensor& alpha,
                const WeightChange& change, const PeftConfig& config) {
  const std::int64_t rank = change.rank();
  double scale = 1;
  if (!alpha.defined()) {
    if (rank > 0) scale = config.scale(module, rank);
  } else if (alpha.numel() != 1) {
    tensors.refuse(concat("expected an alpha of one number, found ", alpha.sizes()));
  } else if (const double value = alpha.reshape({}).to(at::kDouble).item<double>();
             value != 0 && rank > 0) {
    scale = value / static_cast<double>(rank);
  }
  if (!std::isfinite(scale)) tensors.refuse("its alpha is not finite");
  return scale;
}

}  // namespace

LoraFile parse_lora(const StateDict& tensors, const std::map<std::string, std::string>& metadata,
                    const std::string& name) {
  const PeftConfig config(metadata, name);
  LoraFile file = {name, {}, metadata};
  std::map<std::string, ModuleTensors> modules = by_module(tensors, name);
  for (auto& [module, parts] : modules) {
    const at::Tensor alpha = parts.take("alpha");
    WeightChange change = WeightChange::from(parts);
    if (config.dora(module) && !change.dora.magnitude.defined()) {
      parts.refuse("its metadata say use_dora, but its lora_magnitude_vector is missing");
    }
    change.scale = scale_of(module, parts, alpha, change, config);
    file.layers.push_back({module, parts.stem(), std::move(change)});
  }
  return file;
}

LoraFile load_lora(const std::filesystem::path& path) {
  const StateDict tensors = load_safetensors(path);
  std::map<std::string, std::string> metadata = safetensors_metadata(path);
  const auto first = tensors.lower_bound(std::string(kPeftRoot));
  if (first != tensors.end() && first->first.starts_with(kPeftRoot)) {
    metadata["lora_adapter_metadata"] = adapter_config(path.parent_path() / "adapter_config.json");
  }
  return parse_lora(tensors, metadata, path.string());
}

}  // namespace affiche::diffusion
