// SPDX-License-Identifier: Apache-2.0
// affiche train: base models and LoRAs. The options live with the trainer, so that the program
// affiche-train has the same ones without libvips.
#include "base/error.h"
#include "base/files.h"
#include "cards/brand.h"
#include "cards/encode.h"
#include "cli/command.h"
#include "diffusion/training/commands.h"

namespace affiche::cli {
namespace {

Image read_picture(const std::filesystem::path& path) {
  if (path.extension() == ".ppm") return diffusion::read_ppm(path);
  return cards::decode(read_bytes(path), path.string());
}

void write_picture(const std::filesystem::path& path, const Image& image) {
  if (path.extension() == ".ppm") return diffusion::write_ppm(path, image);
  const bool png = cards::format_for(path) == cards::Format::Png;
  write_atomically(
      path, png ? cards::encode_png(image) : cards::encode(image, cards::format_for(path)).bytes);
}

std::string brand_prompt(const std::filesystem::path& path) {
  const cards::Brand brand = cards::load_brand(path);
  const auto prompt = brand.voice.prompts.find("background");
  if (prompt == brand.voice.prompts.end())
    fail(Cause::BadInput, path.string(),
         ": expected a prompt for \"background\" in [voice.prompts]");
  return prompt->second;
}

}  // namespace

void add_train(CLI::App& app, Shared& shared) {
  CLI::App* train = app.add_subcommand("train", "train a base model or a LoRA (docs/models.md)");
  train->require_subcommand(1);
  train->footer(
      "Example: affiche train lora --model assets/models/affiche-mini --data pictures "
      "--out mine.safetensors --work out/mine --steps 400");
  diffusion::add_training_commands(
      *train, [&shared](std::function<int()> work) { shared.run = std::move(work); },
      {read_picture, write_picture, ".png", brand_prompt});
}

}  // namespace affiche::cli
