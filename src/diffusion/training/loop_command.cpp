// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/loop_command.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <sys/ioctl.h>
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

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A terminal shows one line that is drawn again after every step. It never reaches the last column:
// a line that wraps could not be drawn over.
std::string bar_of(const Progress& progress) {
  const std::size_t columns = terminal_columns() - 1;
  const std::string words = in_words(progress).substr(0, columns);
  const std::size_t room = columns - words.size();
  std::string bar;
  if (room > 3) {
    const std::size_t width = std::min<std::size_t>(24, room - 3);
    const auto filled = static_cast<std::size_t>(progress.step * static_cast<std::int64_t>(width) /
                                                 std::max<std::int64_t>(1, progress.steps));
    bar = "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
  }
  return "\r\x1b[K" + bar + words + (progress.step == progress.steps ? "\n" : "");
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
