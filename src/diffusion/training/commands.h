// SPDX-License-Identifier: Apache-2.0
// The options of `affiche train …`, shared with the small program affiche-train, which needs
// nothing but libtorch.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

// Adds "base" and "lora" and "data" below `train`. When one is chosen, `choose` receives the work
// to do, which returns an exit code. `files` reads and writes pictures.
void add_training_commands(CLI::App& train, const std::function<void(std::function<int()>)>& choose,
                           const PictureFiles& files);

}  // namespace affiche::diffusion
