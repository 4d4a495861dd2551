// SPDX-License-Identifier: Apache-2.0
// affiche lora merge: a model with LoRA files made part of its weights.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "cli/border.h"
#include "cli/lora.h"
#include "cli/model.h"
#include "diffusion/pipelines/merge_loras.h"
#include "diffusion/pipelines/request_json.h"

namespace affiche::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string model, out, dtype;
  bool dora_scale = false;
  bool force = false;
  bool allow_pickle = false;
};

std::vector<diffusion::LoraUse> uses_of(const Options& options) {
  std::vector<diffusion::LoraUse> uses;
  for (const std::string& text : options.files) {
    const diffusion::LoraChoice choice = diffusion::parse_lora_choice(text);
    uses.push_back({std::make_shared<const diffusion::LoraFile>(diffusion::load_lora(choice.file)),
                    choice.weight, options.dora_scale});
  }
  return uses;
}

int merge(const Options& options, const Shared& shared) {
  diffusion::ConvertOptions how;
  how.layout = std::filesystem::path(options.out).extension() == ".safetensors"
                   ? diffusion::ModelLayout::SingleFile
                   : diffusion::ModelLayout::Folder;
  how.replace = options.force;
  how.read.allow_pickle = options.allow_pickle;
  if (options.dtype == "fp32") how.floats = at::kFloat;
  if (options.dtype == "fp16") how.floats = at::kHalf;
  if (options.dtype == "bf16") how.floats = at::kBFloat16;
  const diffusion::MergedModel merged = diffusion::merge_loras(
      model_place(options.model, shared).path, options.out, uses_of(options), how);
  std::size_t left_out = 0;
  Json loras = Json::array();
  for (const diffusion::LoraReport& report : merged.loras) {
    loras.push_back(to_json(report));
    left_out += warn_of_left_out(report);
  }
  if (shared.json) {
    const Json json = {{"output", options.out}, {"warnings", merged.warnings}, {"lora", loras}};
    std::puts(json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    for (const std::string& warning : merged.warnings) {
      std::fprintf(stderr, "affiche: %s\n", printable(warning).c_str());
    }
    if (shared.verbosity >= 0) std::printf("%s\n", options.out.c_str());
  }
  return left_out > 0 ? kLeftOut : 0;
}

}  // namespace

void add_lora_merge(CLI::App& lora, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      lora.add_subcommand("merge", "write a model with LoRA files made part of its weights");
  command->add_option("files", options->files, "LoRA files, each FILE or FILE:WEIGHT")->required();
  command->add_option("--model", options->model, "Folder or file of the model, or hub:…")
      ->required()
      ->check(model_input());
  command
      ->add_option("--out", options->out,
                   "Folder to write, or a file that ends in .safetensors for the original layout")
      ->required();
  command->add_option("--dtype", options->dtype, "Numbers of all weights; default: as they are")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16"}));
  command->add_flag("--dora-scale", options->dora_scale,
                    "Count dora_scale tensors, which diffusers leaves out");
  command->add_flag("--force", options->force, "Replace a model that lies at the target");
  command->add_flag("--allow-pickle", options->allow_pickle, "Also read .ckpt, .pt and .bin files");
  command->footer(
      "Exit code 3 when layers of a file did not fit and were left out.\nExample: affiche lora "
      "merge brand.safetensors:0.8 --model model --out branded-model");
  command->callback(
      [&shared, options] { shared.run = [&shared, options] { return merge(*options, shared); }; });
}

}  // namespace affiche::cli
