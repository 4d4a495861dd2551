// SPDX-License-Identifier: Apache-2.0
// The training loop that every trainer shares: resume, step, log, checkpoint, sheet.
//
// Everything random in step n comes from a generator seeded with (seed, n), so a run that was
// killed and resumed from its checkpoint goes through the same steps as one that was not.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "diffusion/training/trainable.h"

namespace affiche::diffusion {

struct LoopOptions {
  std::filesystem::path folder;  // checkpoint.safetensors, log.jsonl and sheets live here
  std::int64_t steps = 1000;     // the run ends after this step, counted over all resumptions
  std::int64_t save_every = 200;
  std::int64_t sheet_every = 500;  // 0: never
  std::int64_t log_every = 20;
  double learning_rate = 1e-3;
  std::int64_t warm_up = 100;  // steps of linear rise
  std::int64_t decay = 0;      // last steps, over which the rate falls linearly to 2 %
  std::uint64_t seed = 1;
  int images_per_step = 1;  // for the log's images per second
};

struct LoopHooks {
  // The loss of one step, a scalar with a graph to the masters.
  std::function<at::Tensor(std::int64_t step, at::Generator generator)> loss;
  std::function<void(std::int64_t step)> sheet;         // may be empty
  std::function<void(const std::string& line)> report;  // one line for people; may be empty
  std::function<bool()> stopped;                        // asked between steps; may be empty
};

// Seeds a generator on the CPU for one purpose of one step.
at::Generator step_generator(std::uint64_t seed, std::int64_t step);
// Resumes from the folder's checkpoint when there is one. Returns the last step done.
std::int64_t run_loop(const LoopOptions& options, Trainable& trainable, const LoopHooks& hooks);

}  // namespace affiche::diffusion
