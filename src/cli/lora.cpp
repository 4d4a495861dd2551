// SPDX-License-Identifier: Apache-2.0
// affiche lora inspect: which weights of a model a LoRA file changes, and what of it does not fit.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cli/border.h"
#include "cli/command.h"
#include "cli/model.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/adapter_targets.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string file;
  std::string model;
  bool dora_scale = false;
};

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

void print_table(const diffusion::LoraReport& report) {
  for (const diffusion::LoraReport::Match& match : report.matched) {
    const std::string rank = match.rank > 0 ? std::to_string(match.rank) : "-";
    std::printf("%-10s %-12s %4s  %s\n", "matched", match.method.c_str(), rank.c_str(),
                match.slot.c_str());
  }
  for (const diffusion::LoraReport::Mismatch& miss : report.mismatched) {
    std::printf("%-10s %-12s %4s  %s: the weight is %s, the change %s\n", "mismatched", "-", "-",
                miss.slot.c_str(), shape_text(miss.expected).c_str(),
                shape_text(miss.found).c_str());
  }
  for (const std::string& module : report.unmatched) {
    std::printf("%-10s %-12s %4s  %s\n", "unmatched", "-", "-", printable(module).c_str());
  }
  std::printf("%zu matched, %zu mismatched, %zu unmatched", report.matched.size(),
              report.mismatched.size(), report.unmatched.size());
  if (!report.ignored.empty()) {
    std::printf("; %zu dora_scale tensors ignored", report.ignored.size());
  }
  std::printf("%s\n", report.changes_nothing ? "; changes nothing" : "");
}

int inspect(const Options& options, const Shared& shared) {
  const diffusion::LoraFile file = diffusion::load_lora(options.file);
  diffusion::ModelFiles files;
  const service::ModelPlace place = model_place(options.model, shared);
  files.model = place.path;
  diffusion::Components parts = diffusion::load_components(files, at::kFloat, at::kCPU);
  const diffusion::AdapterStack stack(diffusion::adapter_targets(parts));
  const diffusion::LoraReport report = stack.inspect(file, options.dora_scale);
  if (shared.json) {
    std::puts(to_json(report).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    print_table(report);
  }
  return report.changes_nothing ? exit_code(Cause::BadInput) : 0;
}

}  // namespace

void add_lora(CLI::App& app, Shared& shared) {
  CLI::App* lora = app.add_subcommand("lora", "look into LoRA files (docs/models.md)");
  lora->require_subcommand(1);
  lora->footer(
      "Example: affiche lora inspect brand.safetensors --model assets/models/affiche-mini");
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      lora->add_subcommand("inspect", "list the weights of a model that a LoRA file changes");
  command->add_option("file", options->file, "LoRA file, safetensors")
      ->required()
      ->check(existing_input());
  command->add_option("--model", options->model, "Model folder as diffusers writes it")
      ->required()
      ->check(model_input());
  command->add_flag("--dora-scale", options->dora_scale,
                    "Count dora_scale tensors, which diffusers leaves out");
  command->footer(
      "Exit code 2 when the file changes nothing in this model.\nExample: affiche lora inspect "
      "brand.safetensors --model assets/models/affiche-mini --json");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return inspect(*options, shared); };
  });
}

}  // namespace affiche::cli
