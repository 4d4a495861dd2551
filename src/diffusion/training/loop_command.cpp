// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/loop_command.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>

namespace affiche::diffusion {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// A terminal shows one line that is drawn again after every step.
std::string bar_of(const Progress& progress) {
  constexpr std::int64_t kWidth = 24;
  const auto filled =
      static_cast<std::size_t>(progress.step * kWidth / std::max<std::int64_t>(1, progress.steps));
  return "\r\x1b[K[" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "] " +
         in_words(progress) + (progress.step == progress.steps ? "\n" : "");
}

}  // namespace

void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

LoopHooks command_hooks() {
  keep_memory();
  std::signal(SIGINT, [](int) { stop_asked = 1; });
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  LoopHooks hooks;
  if (::isatty(STDOUT_FILENO) == 0) {
    hooks.report = [](const std::string& line) { print(line + "\n"); };
  } else {
    hooks.report = [](const std::string& line) { print("\r\x1b[K" + line + "\n"); };
    hooks.progress = [](const Progress& progress) { print(bar_of(progress)); };
  }
  hooks.stopped = [] { return stop_asked != 0; };
  return hooks;
}

void add_loop_options(CLI::App& command, LoopOptions& loop) {
  command.add_option("--work", loop.folder, "folder of checkpoint, log and sample sheets")
      ->required();
  command.add_option("--steps", loop.steps, "last step, counted over all resumptions");
  command.add_option("--rate", loop.learning_rate, "learning rate");
  command.add_option("--warm-up", loop.warm_up, "steps of rising rate");
  command.add_option("--decay", loop.decay, "last steps, of falling rate");
  command.add_option("--seed", loop.seed, "seed of every random choice");
  command.add_option("--save-every", loop.save_every, "steps between checkpoints");
  command.add_option("--sheet-every", loop.sheet_every, "steps between sample sheets; 0: none");
  command.add_option("--log-every", loop.log_every, "steps between log lines");
}

void add_threads(CLI::App& command) {
  command.add_option_function<int>(
      "--threads", [](int count) { at::set_num_threads(count); }, "CPU threads");
}

}  // namespace affiche::diffusion
