// SPDX-License-Identifier: Apache-2.0
// The training loop that every trainer shares: resume, step, log, checkpoint, sheet.
//
// Everything random in step n comes from a generator seeded with (seed, n), so a run that was
// killed and resumed from its checkpoint goes through the same steps as one that was not, to the
// same weights and the same log, bit for bit with one thread.
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
  bool cosine = false;         // the rate falls from warm-up to the end along half a cosine instead
  int accumulate = 1;          // gradients of so many batches make one step
  std::int64_t validate_every = 0;  // steps between validations; 0: none
  int patience = 0;  // the run ends after so many validations without a better one; 0: never
  std::uint64_t seed = 1;
  int images_per_step = 1;  // for the log's images per second
  // What a checkpoint must have been made with to be resumed, in words; empty: anything.
  std::string settings;
};

struct Progress {
  std::int64_t step = 0, steps = 0;  // done, in all
  double loss = 0;                   // mean since the last line of the log
  double images_per_second = 0, seconds_left = 0;
};
// "step 20 of 400, loss 0.1234, 1.50 pictures a second, 8 min 2 s left"
std::string in_words(const Progress& progress);

struct LoopHooks {
  // The loss of one batch, a scalar with a graph to the masters. `batch` counts batches over the
  // whole run: it is the step's number when none accumulate.
  std::function<at::Tensor(std::int64_t batch, at::Generator generator)> loss;
  std::function<double(std::int64_t step)> validate;  // a loss, lower is better; may be empty
  std::function<void(std::int64_t step)> best;        // after the best validation yet; may be empty
  std::function<void(std::int64_t step)> sheet;       // may be empty
  std::function<void(const std::string& line)> report;  // one line for people; may be empty
  // After every step; where it is empty, lines of the log are reported in its place.
  std::function<void(const Progress& progress)> progress;
  std::function<bool()> stopped;  // asked between steps; may be empty
};

// The rate of a step, counted from 0.
double rate_at(const LoopOptions& options, std::int64_t step);
// Seeds a generator on the CPU for one purpose of one step.
at::Generator step_generator(std::uint64_t seed, std::int64_t step);
// Resumes from the folder's checkpoint when there is one. Returns the last step done. Unavailable
// while another run has the folder; Usage when the checkpoint is of another seed or settings.
std::int64_t run_loop(const LoopOptions& options, Trainable& trainable, const LoopHooks& hooks);

}  // namespace affiche::diffusion
