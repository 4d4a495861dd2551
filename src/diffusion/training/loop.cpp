// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/loop.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

using Clock = std::chrono::steady_clock;

double rate_at(const LoopOptions& options, std::int64_t step) {
  double rate = options.learning_rate;
  if (step < options.warm_up)
    rate *= static_cast<double>(step + 1) / static_cast<double>(options.warm_up);
  const std::int64_t left = options.steps - step;
  if (left < options.decay)
    rate *= 0.02 + 0.98 * static_cast<double>(left) / static_cast<double>(options.decay);
  return rate;
}

void save(const std::filesystem::path& file, const Trainable& trainable, std::int64_t step,
          std::uint64_t seed) {
  StateDict state = trainable.state();
  state["step"] = at::scalar_tensor(step, at::kLong);
  save_safetensors(file, state, {{"seed", std::to_string(seed)}});
}

std::int64_t resume(const LoopOptions& options, const std::filesystem::path& file,
                    Trainable& trainable) {
  if (!std::filesystem::exists(file)) return 0;
  const auto metadata = safetensors_metadata(file);
  const auto seed = metadata.find("seed");
  if (seed == metadata.end() || seed->second != std::to_string(options.seed))
    fail(Cause::Usage, file.string(), ": expected a checkpoint of seed ", options.seed, ", found ",
         seed == metadata.end() ? "none" : seed->second, "; give the same seed or another folder");
  const StateDict state = load_safetensors(file);
  trainable.restore(state);
  const auto step = state.find("step");
  if (step == state.end()) fail(Cause::BadInput, file.string(), ": tensor step is missing");
  return step->second.item<std::int64_t>();
}

// Collects the losses between two log lines.
class Journal {
 public:
  Journal(const LoopOptions& options, const LoopHooks& hooks)
      : options_(options), hooks_(hooks), file_(options.folder / "log.jsonl", std::ios::app) {}
  void add(std::int64_t step, double loss, double norm) {
    sum_ += loss;
    ++count_;
    if (step % options_.log_every != 0) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - since_).count();
    const double speed = static_cast<double>(count_ * options_.images_per_step) / seconds;
    Json line = {{"step", step},
                 {"loss", sum_ / static_cast<double>(count_)},
                 {"gradient", norm},
                 {"images_per_second", speed},
                 {"rate", rate_at(options_, step - 1)}};
    file_ << line.dump() << std::endl;
    if (hooks_.report) hooks_.report(line.dump());
    sum_ = 0;
    count_ = 0;
    since_ = Clock::now();
  }

 private:
  const LoopOptions& options_;
  const LoopHooks& hooks_;
  std::ofstream file_;
  double sum_ = 0;
  std::int64_t count_ = 0;
  Clock::time_point since_ = Clock::now();
};

}  // namespace

at::Generator step_generator(std::uint64_t seed, std::int64_t step) {
  return at::make_generator<at::CPUGeneratorImpl>(
      Random::mix(seed * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(step)));
}

std::int64_t run_loop(const LoopOptions& options, Trainable& trainable, const LoopHooks& hooks) {
  std::filesystem::create_directories(options.folder);
  const std::filesystem::path file = options.folder / "checkpoint.safetensors";
  std::int64_t step = resume(options, file, trainable), saved = step;
  Journal journal(options, hooks);
  while (step < options.steps && !(hooks.stopped && hooks.stopped())) {
    const at::Tensor loss = hooks.loss(step, step_generator(options.seed, step));
    loss.backward();
    const double norm = trainable.update(rate_at(options, step));
    ++step;
    journal.add(step, loss.item<double>(), norm);
    if (step % options.save_every == 0) {
      save(file, trainable, step, options.seed);
      saved = step;
    }
    if (hooks.sheet && options.sheet_every > 0 && step % options.sheet_every == 0)
      hooks.sheet(step);
  }
  if (saved != step) save(file, trainable, step, options.seed);
  return step;
}

}  // namespace affiche::diffusion
