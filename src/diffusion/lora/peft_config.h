// SPDX-License-Identifier: Apache-2.0
// What PEFT says about an adapter beside its tensors: LoraConfig, one a component, in the metadata
// `lora_adapter_metadata` ("unet.lora_alpha", …) or in adapter_config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace affiche::diffusion {

class PeftConfig {
 public:
  // `file` is for messages. BadInput when the metadata are not a JSON object.
  PeftConfig(const std::map<std::string, std::string>& metadata, std::string file);

  // What multiplies up * down: alpha / rank, or alpha / sqrt(rank) with use_rslora (rsLoRA, arXiv
  // 2312.03732); alpha is the first alpha_pattern that fits or lora_alpha; 1 when nothing is
  // stated. `module` begins with its component. BadInput for values of the wrong type, and when
  // the rank is not the one that r and rank_pattern state.
  double scale(const std::string& module, std::int64_t rank) const;
  bool dora(const std::string& module) const;

 private:
  const nlohmann::ordered_json* setting(const std::string& module, const char* key) const;
  // The pattern's value, else that of `key`; nullptr when neither is stated.
  const nlohmann::ordered_json* number(const std::string& module, const char* patterns,
                                       const char* key) const;
  bool flag(const std::string& module, const char* key) const;
  std::string file_;
  nlohmann::ordered_json settings_;
};

// adapter_config.json as `lora_adapter_metadata` would hold it, under "base_model".
std::string adapter_config(const std::filesystem::path& path);

// Whether PEFT applies `pattern` to the module `name`: the regular expression (.*\.)?(pattern)$.
// Understood are letters, digits, _ . * + \. \d and a leading ^; BadInput for anything else,
// naming `file`.
bool peft_pattern_fits(const std::string& pattern, const std::string& name,
                       const std::string& file);

}  // namespace affiche::diffusion
