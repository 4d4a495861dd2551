// SPDX-License-Identifier: Apache-2.0
// The measurements, one file each. Every one prints one JSON object.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace affiche::bench {

using Work = std::function<void()>;

void add_lora_bench(CLI::App& app, Work& work);
void add_load_bench(CLI::App& app, Work& work);
void add_memory_bench(CLI::App& app, Work& work);
void add_train_step_bench(CLI::App& app, Work& work);

}  // namespace affiche::bench
