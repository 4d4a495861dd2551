// SPDX-License-Identifier: Apache-2.0
// affiche-train: `affiche train` alone, for machines that have libtorch and nothing else. Reads
// PPM.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>

#include "base/error.h"
#include "diffusion/training/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Trains the models of affiche and their LoRAs (docs/models.md)", "affiche-train");
  app.require_subcommand(1);
  std::function<int()> work;
  affiche::diffusion::add_training_commands(
      app, [&](std::function<int()> chosen) { work = std::move(chosen); },
      {affiche::diffusion::read_ppm, affiche::diffusion::write_ppm, ".ppm", {}});
  CLI11_PARSE(app, argc, argv);
  try {
    return work();
  } catch (const affiche::Error& error) {
    std::fprintf(stderr, "affiche-train: %s\n", error.what());
    return affiche::exit_code(error.cause());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "affiche-train: %s\n", error.what());
    return 1;
  }
}
