// SPDX-License-Identifier: Apache-2.0
// affiche lora inspect: which weights of a model a LoRA file changes, and what of it does not fit.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/border.h"
#include "cli/lora.h"
#include "cli/model.h"
#include "diffusion/pipelines/lora_networks.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string file;
  std::string model;
  bool dora_scale = false;
};

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
  const std::string model = model_place(options.model, shared).path.string();
  diffusion::LoraNetworks networks(diffusion::open_checkpoint(model), model);
  const diffusion::AdapterStack stack(networks.targets());
  const diffusion::LoraReport report = stack.inspect(file, options.dora_scale);
  if (shared.json) {
    std::puts(to_json(report).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    print_table(report);
  }
  return report.changes_nothing ? exit_code(Cause::BadInput) : 0;
}

}  // namespace

void add_lora_inspect(CLI::App& lora, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      lora.add_subcommand("inspect", "list the weights of a model that a LoRA file changes");
  command->add_option("file", options->file, "LoRA file, safetensors")
      ->required()
      ->check(existing_input());
  command->add_option("--model", options->model, "Folder or file of the model, or hub:…")
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
