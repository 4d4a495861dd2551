// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/lora_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

enum class Part { Down, Up, Alpha };

struct Ending {
  std::string_view text;
  Part part;
};
constexpr std::array<Ending, 5> kEndings = {{{".lora_down.weight", Part::Down},
                                             {".lora_up.weight", Part::Up},
                                             {".lora_A.weight", Part::Down},
                                             {".lora_B.weight", Part::Up},
                                             {".alpha", Part::Alpha}}};

// Left unsaid, these would be applied wrongly.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOtherMethods = {
    {{".hada_w", "LoHa"},
     {".lokr_w", "LoKr"},
     {".dora_scale", "DoRA"},
     {".lora_magnitude_vector", "DoRA"},
     {".lora_mid.weight", "LoCon with Tucker factors"},
     {".hada_t", "LoHa with Tucker factors"}}};

struct Halves {
  at::Tensor down, up;
  std::optional<double> alpha;
};

// What PEFT's save_pretrained() puts before every name; the scale then lies in a file beside.
constexpr std::string_view kPeftRoot = "base_model.model.";

// adapter_config.json with its keys named as `lora_adapter_metadata` would name them.
std::string adapter_config(const std::filesystem::path& path) {
  const Json config = parse_json(read_text(path), path.string());
  Json result = Json::object();
  if (!config.is_object()) fail(Cause::BadInput, path.string(), ": expected an object");
  for (const auto& [key, value] : config.items()) result["base_model." + key] = value;
  return result.dump();
}

bool finite(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return true;
  const at::Tensor wide = tensor.to(at::kFloat);
  return at::isfinite(wide).all().item<bool>();
}

class Parser {
 public:
  Parser(const std::map<std::string, std::string>& metadata, const std::string& name)
      : name_(name), adapter_(adapter_metadata(metadata)) {}

  std::vector<LoraLayer> parse(const StateDict& tensors) {
    for (const auto& [key, tensor] : tensors) take(key, tensor);
    std::vector<LoraLayer> layers;
    for (const auto& [module, halves] : halves_) layers.push_back(layer(module, halves));
    if (layers.empty()) {
      fail(Cause::BadInput, name_,
           ": expected LoRA tensors in the kohya or PEFT format, found none",
           tensors.empty() ? std::string()
                           : concat("; the first is \"", tensors.begin()->first, "\""));
    }
    return layers;
  }

 private:
  [[noreturn]] void refuse(const std::string& tensor, const std::string& message) const {
    fail(Cause::BadInput, name_, ": tensor \"", tensor, "\": ", message);
  }

  Json adapter_metadata(const std::map<std::string, std::string>& metadata) const {
    const auto found = metadata.find("lora_adapter_metadata");
    if (found == metadata.end()) return Json::object();
    Json json = parse_json(found->second, name_ + " (lora_adapter_metadata)", true);
    if (!json.is_object()) {
      fail(Cause::BadInput, name_, ": lora_adapter_metadata: expected an object");
    }
    return json;
  }

  void take(const std::string& key, const at::Tensor& tensor) {
    for (const auto& [part, method] : kOtherMethods) {
      if (key.find(part) != std::string::npos) {
        refuse(key, concat("this is ", method, "; only plain LoRA is supported"));
      }
    }
    const auto ending =
        std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& candidate) {
          return key.ends_with(candidate.text) && key.size() > candidate.text.size();
        });
    if (ending == kEndings.end()) refuse(key, "belongs to no LoRA format that is supported");
    if (!tensor.is_floating_point()) refuse(key, "expected floating point numbers");
    if (!finite(tensor)) refuse(key, "holds values that are not finite");
    Halves& halves = halves_[key.substr(0, key.size() - ending->text.size())];
    if (ending->part == Part::Alpha) {
      if (tensor.numel() != 1) refuse(key, "expected one number");
      halves.alpha = tensor.reshape({}).to(at::kDouble).item<double>();
      return;
    }
    if (tensor.dim() != 2 && tensor.dim() != 4) refuse(key, "expected two or four dimensions");
    at::Tensor& half = ending->part == Part::Down ? halves.down : halves.up;
    if (half.defined()) refuse(key, "the module has two of this half");
    half = tensor;
  }

  LoraLayer layer(const std::string& module, const Halves& halves) const {
    if (!halves.down.defined() || !halves.up.defined()) {
      refuse(module, concat("its ", halves.down.defined() ? "up" : "down", " half is missing"));
    }
    const std::int64_t rank = halves.down.size(0);
    if (rank < 1 || halves.up.size(1) != rank ||
        halves.up.numel() != halves.up.size(0) * halves.up.size(1)) {
      refuse(module, concat("expected down of rank x in and up of out x rank, found ",
                            halves.down.sizes(), " and ", halves.up.sizes()));
    }
    return {module, halves.down, halves.up, scale(module, halves, static_cast<double>(rank))};
  }

  // The alpha in the file wins over the adapter's metadata; neither, or 0, means alpha = rank.
  double scale(const std::string& module, const Halves& halves, double rank) const {
    const std::string component = module.substr(0, module.find('.'));
    const auto setting = [&](const char* key) -> const Json* {
      const auto found = adapter_.find(concat(component, ".", key));
      return found == adapter_.end() || found->is_null() ? nullptr : &*found;
    };
    double alpha = rank;
    bool stabilised = false;
    if (halves.alpha) {
      alpha = *halves.alpha;
    } else {
      if (const Json* value = setting("lora_alpha")) alpha = number(*value, "lora_alpha");
      if (const Json* patterns = setting("alpha_pattern"); patterns && patterns->is_object()) {
        for (const auto& [pattern, value] : patterns->items()) {
          if (module.ends_with("." + pattern)) alpha = number(value, "alpha_pattern");
        }
      }
      const Json* flag = setting("use_rslora");
      stabilised = flag != nullptr && flag->is_boolean() && flag->get<bool>();
      if (const Json* dora = setting("use_dora"); dora != nullptr && *dora == Json(true)) {
        fail(Cause::BadInput, name_, ": use_dora: only plain LoRA is supported");
      }
    }
    if (alpha == 0) alpha = rank;
    return alpha / (stabilised ? std::sqrt(rank) : rank);
  }

  double number(const Json& value, const char* key) const {
    if (!value.is_number()) {
      fail(Cause::BadInput, name_, ": lora_adapter_metadata: ", key, ": expected a number");
    }
    return value.get<double>();
  }

  const std::string& name_;
  Json adapter_;
  std::map<std::string, Halves> halves_;
};

}  // namespace

LoraFile parse_lora(const StateDict& tensors, const std::map<std::string, std::string>& metadata,
                    const std::string& name) {
  return {name, Parser(metadata, name).parse(tensors), metadata};
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

std::string kohya_module(const std::string& prefix, const std::string& module) {
  std::string result = prefix + "_" + module;
  std::replace(result.begin(), result.end(), '.', '_');
  return result;
}

}  // namespace affiche::diffusion
