// SPDX-License-Identifier: Apache-2.0
// affiche lora: what its commands share.
#include "cli/lora.h"

#include <cstdio>

#include "base/error.h"
#include "cli/border.h"

namespace affiche::cli {

Json to_json(const diffusion::LoraReport& report) {
  Json matched = Json::array(), mismatched = Json::array();
  for (const diffusion::LoraReport::Match& match : report.matched) {
    matched.push_back({{"module", match.module},
                       {"weight", match.slot},
                       {"method", match.method},
                       {"rank", match.rank}});
  }
  for (const diffusion::LoraReport::Mismatch& miss : report.mismatched) {
    mismatched.push_back({{"module", miss.module},
                          {"weight", miss.slot},
                          {"expected", miss.expected},
                          {"found", miss.found}});
  }
  return {{"file", report.file},           {"matched", matched},
          {"unmatched", report.unmatched}, {"mismatched", mismatched},
          {"ignored", report.ignored},     {"changes_nothing", report.changes_nothing}};
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += text.empty() ? std::to_string(size) : concat("x", size);
  }
  return text;
}

std::size_t warn_of_left_out(const diffusion::LoraReport& report) {
  for (const diffusion::LoraReport::Mismatch& miss : report.mismatched) {
    std::fprintf(stderr, "affiche: %s: left out \"%s\": the weight is %s, the change %s\n",
                 printable(report.file).c_str(), printable(miss.module).c_str(),
                 shape_text(miss.expected).c_str(), shape_text(miss.found).c_str());
  }
  for (const std::string& module : report.unmatched) {
    std::fprintf(stderr, "affiche: %s: left out \"%s\": the model has no such module\n",
                 printable(report.file).c_str(), printable(module).c_str());
  }
  return report.mismatched.size() + report.unmatched.size();
}

void add_lora(CLI::App& app, Shared& shared) {
  CLI::App* lora = app.add_subcommand("lora", "look into LoRA files, merge and convert them");
  lora->require_subcommand(1);
  lora->footer(
      "Example: affiche lora inspect brand.safetensors --model assets/models/affiche-mini");
  add_lora_inspect(*lora, shared);
  add_lora_merge(*lora, shared);
  add_lora_convert(*lora, shared);
}

}  // namespace affiche::cli
