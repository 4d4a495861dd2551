// SPDX-License-Identifier: Apache-2.0
// affiche model convert: a model in another layout, or with other numbers.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/json.h"
#include "cli/border.h"
#include "cli/model.h"
#include "diffusion/checkpoints/convert.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string from, to;
  std::string dtype;
  std::string format;
  bool force = false;
  bool allow_pickle = false;
};

// --format, or what the target's name says.
diffusion::ModelLayout layout_of(const Options& options) {
  const bool file = options.format.empty()
                        ? std::filesystem::path(options.to).extension() == ".safetensors"
                        : options.format == "single";
  return file ? diffusion::ModelLayout::SingleFile : diffusion::ModelLayout::Folder;
}

int convert(const Options& options, const Shared& shared) {
  diffusion::ConvertOptions how;
  how.layout = layout_of(options);
  how.replace = options.force;
  how.read.allow_pickle = options.allow_pickle;
  if (options.dtype == "fp32") how.floats = at::kFloat;
  if (options.dtype == "fp16") how.floats = at::kHalf;
  if (options.dtype == "bf16") how.floats = at::kBFloat16;
  const std::vector<std::string> warnings = diffusion::convert_model(options.from, options.to, how);
  if (shared.json) {
    const Json json = {{"output", options.to}, {"warnings", warnings}};
    std::puts(json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return 0;
  }
  for (const std::string& warning : warnings) {
    std::fprintf(stderr, "affiche: %s\n", printable(warning).c_str());
  }
  if (shared.verbosity >= 0) std::printf("%s\n", options.to.c_str());
  return 0;
}

}  // namespace

void add_model_convert(CLI::App& model, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(
      "convert", "write a model as a diffusers folder or as one safetensors file");
  command->add_option("from", options->from, "Folder, file, or hub:… of a fetched model")
      ->required()
      ->check(model_input());
  command->add_option("to", options->to, "Folder or file to write")->required();
  command
      ->add_option("--format", options->format,
                   "folder or single; default: single when the target ends in .safetensors")
      ->check(CLI::IsMember({"folder", "single"}));
  command->add_option("--dtype", options->dtype, "Numbers of all weights; default: as they are")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16"}));
  command->add_flag("--force", options->force, "Replace a model that lies at the target");
  command->add_flag("--allow-pickle", options->allow_pickle, "Also read .ckpt, .pt and .bin files");
  command->footer("Example: affiche model convert model.ckpt model --allow-pickle --dtype fp16");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return convert(*options, shared); };
  });
}

}  // namespace affiche::cli
