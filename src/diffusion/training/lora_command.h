// SPDX-License-Identifier: Apache-2.0
// `affiche train lora`.
#pragma once

#include <CLI/CLI.hpp>

#include "diffusion/training/loop_command.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

void add_lora_command(CLI::App& train, const Choose& choose, const PictureFiles& files);

}  // namespace affiche::diffusion
