// SPDX-License-Identifier: Apache-2.0
// What the commands that train have in common: options of the loop, its reports, and its end by
// Ctrl-C.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "diffusion/training/loop.h"

namespace affiche::diffusion {

// Receives the work of the chosen command, which returns an exit code.
using Choose = std::function<void(std::function<int()>)>;

// A training step frees and takes hundreds of megabytes; given back to the kernel each time, they
// come again as page faults that cost as much as the arithmetic.
void keep_memory();

// Reports go to standard output, with a bar and the time left on a terminal. The first Ctrl-C or
// SIGTERM ends the run after the present step, with a checkpoint. Call once, when the work begins.
LoopHooks command_hooks();

void add_loop_options(CLI::App& command, LoopOptions& loop);
void add_threads(CLI::App& command);

}  // namespace affiche::diffusion
