// SPDX-License-Identifier: Apache-2.0
// affiche lora convert: a LoRA file under another format's names.
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "base/error.h"
#include "cli/border.h"
#include "cli/lora.h"
#include "cli/model.h"
#include "diffusion/lora/rename_lora.h"
#include "diffusion/pipelines/lora_networks.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string file, out, model, format, dtype;
  bool force = false;
};

const std::map<std::string, diffusion::LoraLayout> kLayouts = {
    {"peft", diffusion::LoraLayout::Peft},
    {"kohya", diffusion::LoraLayout::Kohya},
    {"kohya-ldm", diffusion::LoraLayout::KohyaLdm}};

// What the file says of itself stays, but for how PEFT scales it: that is in the tensors now.
std::map<std::string, std::string> metadata_of(const diffusion::LoraFile& file) {
  std::map<std::string, std::string> metadata = file.metadata;
  metadata.erase("lora_adapter_metadata");
  metadata["format"] = "pt";
  return metadata;
}

int convert(const Options& options, const Shared& shared) {
  if (std::filesystem::exists(options.out) && !options.force) {
    fail(Cause::Refused, options.out, ": exists already; choose another name or give --force");
  }
  const diffusion::LoraFile file = diffusion::load_lora(options.file);
  const std::string model = model_place(options.model, shared).path.string();
  diffusion::LoraNetworks networks(diffusion::open_checkpoint(model), model);
  const std::vector<diffusion::AdapterTarget> targets = networks.targets();
  const diffusion::LoraReport report = diffusion::AdapterStack(targets).inspect(file, true);
  if (report.matched.empty()) {
    fail(Cause::BadInput, options.file, ": none of its ", file.layers.size(),
         " layers fits the model ", model, "; it was made for another architecture");
  }
  std::optional<at::ScalarType> floats;
  if (options.dtype == "fp32") floats = at::kFloat;
  if (options.dtype == "fp16") floats = at::kHalf;
  if (options.dtype == "bf16") floats = at::kBFloat16;
  diffusion::save_safetensors(
      options.out, diffusion::rename_lora(file, report, targets, kLayouts.at(options.format)),
      metadata_of(file), floats);
  const std::size_t left_out = warn_of_left_out(report);
  if (shared.json) {
    const Json json = {{"output", options.out}, {"lora", to_json(report)}};
    std::puts(json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (shared.verbosity >= 0) {
    std::printf("%s\n", options.out.c_str());
  }
  return left_out > 0 ? kLeftOut : 0;
}

}  // namespace

void add_lora_convert(CLI::App& lora, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = lora.add_subcommand("convert", "write a LoRA file under other names");
  command->add_option("file", options->file, "LoRA file, safetensors")
      ->required()
      ->check(existing_input());
  command->add_option("out", options->out, "File to write, safetensors")->required();
  command->add_option("--model", options->model, "The model that the file is for, or one like it")
      ->required()
      ->check(model_input());
  command
      ->add_option(
          "--format", options->format,
          "peft (diffusers), kohya, or kohya-ldm (modules as the original code names them)")
      ->required()
      ->check(CLI::IsMember({"peft", "kohya", "kohya-ldm"}));
  command->add_option("--dtype", options->dtype, "Numbers of all tensors; default: as they are")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16"}));
  command->add_flag("--force", options->force, "Replace a file that lies at the target");
  command->footer(
      "Exit code 3 when layers did not fit the model and were left out.\nExample: affiche lora "
      "convert brand.safetensors brand-kohya.safetensors --model model --format kohya");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return convert(*options, shared); };
  });
}

}  // namespace affiche::cli
