// SPDX-License-Identifier: Apache-2.0
// The loss log of a training run: log.jsonl in its folder, and what people see of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "diffusion/training/loop.h"

namespace affiche::diffusion {

// "1 h 2 min left"
std::string time_left(double seconds);

// Not thread-safe. The options and hooks outlive it.
class Journal {
 public:
  // Cuts off the log what came after step `step` of the checkpoint: a run that was killed had
  // written lines, and perhaps half of one, for steps that are taken again. `pending` is what
  // pending() was in that checkpoint, or undefined. Unavailable when the file cannot be written.
  Journal(const LoopOptions& options, const LoopHooks& hooks, std::int64_t step,
          const at::Tensor& pending);
  // Once per step, in order; writes a line every log_every steps.
  void add(std::int64_t step, double loss, double norm);
  // Sum and number of the losses since the last line, float64: part of a checkpoint.
  at::Tensor pending() const;
  // Brings the lines to the disk; call before a checkpoint counts on them.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using Clock = std::chrono::steady_clock;

  const LoopOptions& options_;
  const LoopHooks& hooks_;
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  double sum_ = 0;
  std::int64_t count_ = 0;
  std::int64_t steps_since_ = 0;  // taken by this process since since_
  Clock::time_point since_ = Clock::now();
};

}  // namespace affiche::diffusion
