// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/tensor_names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace affiche::diffusion {
namespace {

struct Ending {
  std::string_view text;
  std::string_view part;
  bool attention = false;  // of diffusers' old attention processors
};

constexpr std::array<Ending, 29> kEndings = {{{".lora_down.weight", "lora_down"},
                                              {".lora_up.weight", "lora_up"},
                                              {".lora_mid.weight", "lora_mid"},
                                              {".lora_A.weight", "lora_down"},
                                              {".lora_B.weight", "lora_up"},
                                              {".lora.down.weight", "lora_down"},
                                              {".lora.up.weight", "lora_up"},
                                              {".lora_linear_layer.down.weight", "lora_down"},
                                              {".lora_linear_layer.up.weight", "lora_up"},
                                              {"_lora.down.weight", "lora_down", true},
                                              {"_lora.up.weight", "lora_up", true},
                                              {".alpha", "alpha"},
                                              {".dora_scale", "dora_scale"},
                                              {".lora_magnitude_vector", "magnitude"},
                                              {".lora_magnitude_vector.weight", "magnitude"},
                                              {".hada_w1_a", "hada_w1_a"},
                                              {".hada_w1_b", "hada_w1_b"},
                                              {".hada_w2_a", "hada_w2_a"},
                                              {".hada_w2_b", "hada_w2_b"},
                                              {".hada_t1", "hada_t1"},
                                              {".hada_t2", "hada_t2"},
                                              {".lokr_w1", "lokr_w1"},
                                              {".lokr_w1_a", "lokr_w1_a"},
                                              {".lokr_w1_b", "lokr_w1_b"},
                                              {".lokr_w2", "lokr_w2"},
                                              {".lokr_w2_a", "lokr_w2_a"},
                                              {".lokr_w2_b", "lokr_w2_b"},
                                              {".lokr_t1", "lokr_t1"},
                                              {".lokr_t2", "lokr_t2"}}};

// The layers of an attention as old files name them: the processor's place is the attention's, and
// the text encoder's layers have the UNet's names.
std::string attention_module(std::string name) {
  constexpr std::string_view kProcessor = ".processor";
  if (const auto at = name.find(".processor."); at != std::string::npos) {
    name.erase(at, kProcessor.size());
  }
  static const std::array<std::pair<std::string, std::string>, 4> kText = {
      {{"to_q", "q_proj"}, {"to_k", "k_proj"}, {"to_v", "v_proj"}, {"to_out", "out_proj"}}};
  for (const auto& [old, own] : kText) {
    if (!name.ends_with("self_attn." + old)) continue;
    name.replace(name.size() - old.size(), old.size(), own);
    return name;
  }
  if (name.ends_with(".to_out")) name.append(".0");
  return name;
}

}  // namespace

std::optional<TensorName> split_tensor_name(const std::string& key) {
  for (const Ending& ending : kEndings) {
    if (!key.ends_with(ending.text) || key.size() == ending.text.size()) continue;
    const std::string module = key.substr(0, key.size() - ending.text.size());
    if (!ending.attention) return TensorName{module, module, std::string(ending.part)};
    const std::string stem = key.substr(0, module.size() + std::string_view("_lora").size());
    return TensorName{attention_module(module), stem, std::string(ending.part)};
  }
  return std::nullopt;
}

std::string kohya_module(const std::string& prefix, const std::string& module) {
  std::string result = prefix + "_" + module;
  std::replace(result.begin(), result.end(), '.', '_');
  return result;
}

}  // namespace affiche::diffusion
