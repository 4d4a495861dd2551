// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/loop.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numbers>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

using Clock = std::chrono::steady_clock;

// Where a run stands.
struct Place {
  std::int64_t step = 0;
  double best = 1e30;      // validation
  std::int64_t stale = 0;  // validations since
};

void save(const std::filesystem::path& file, const Trainable& trainable, const Place& place,
          std::uint64_t seed) {
  StateDict state = trainable.state();
  state["step"] = at::scalar_tensor(place.step, at::kLong);
  state["validation"] =
      at::stack({at::scalar_tensor(place.best, at::kDouble),
                 at::scalar_tensor(static_cast<double>(place.stale), at::kDouble)});
  save_safetensors(file, state, {{"seed", std::to_string(seed)}});
}

Place resume(const LoopOptions& options, const std::filesystem::path& file, Trainable& trainable) {
  if (!std::filesystem::exists(file)) return {};
  const auto metadata = safetensors_metadata(file);
  const auto seed = metadata.find("seed");
  if (seed == metadata.end() || seed->second != std::to_string(options.seed))
    fail(Cause::Usage, file.string(), ": expected a checkpoint of seed ", options.seed, ", found ",
         seed == metadata.end() ? "none" : seed->second, "; give the same seed or another folder");
  const StateDict state = load_safetensors(file);
  trainable.restore(state);
  const auto step = state.find("step");
  if (step == state.end()) fail(Cause::BadInput, file.string(), ": tensor step is missing");
  Place place;
  place.step = step->second.item<std::int64_t>();
  const auto validation = state.find("validation");
  if (validation != state.end() && validation->second.numel() == 2) {
    place.best = validation->second[0].item<double>();
    place.stale = static_cast<std::int64_t>(validation->second[1].item<double>());
  }
  return place;
}

std::string time_left(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 3600) return concat(whole / 3600, " h ", whole % 3600 / 60, " min left");
  if (whole >= 60) return concat(whole / 60, " min ", whole % 60, " s left");
  return concat(whole, " s left");
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
    if (hooks_.report) {
      char text[160];
      const double steps_left = static_cast<double>(options_.steps - step);
      std::snprintf(text, sizeof text, "step %lld of %lld, loss %.4f, %.2f pictures a second, %s",
                    static_cast<long long>(step), static_cast<long long>(options_.steps),
                    sum_ / static_cast<double>(count_), speed,
                    time_left(steps_left * seconds / static_cast<double>(count_)).c_str());
      hooks_.report(text);
    }
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

double rate_at(const LoopOptions& options, std::int64_t step) {
  double rate = options.learning_rate;
  if (step < options.warm_up)
    return rate * static_cast<double>(step + 1) / static_cast<double>(options.warm_up);
  if (options.cosine) {
    const double whole = std::max<double>(1, static_cast<double>(options.steps - options.warm_up));
    const double done = static_cast<double>(step - options.warm_up) / whole;
    return rate * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, done)));
  }
  const std::int64_t left = options.steps - step;
  if (left < options.decay)
    rate *= 0.02 + 0.98 * static_cast<double>(left) / static_cast<double>(options.decay);
  return rate;
}

namespace {

// Gradients of as many batches as make a step; returns their mean loss.
double accumulate(const LoopOptions& options, const LoopHooks& hooks, std::int64_t step) {
  double sum = 0;
  for (int i = 0; i < options.accumulate; ++i) {
    const std::int64_t batch = step * options.accumulate + i;
    const at::Tensor loss = hooks.loss(batch, step_generator(options.seed, batch));
    (options.accumulate > 1 ? loss / options.accumulate : loss).backward();
    sum += loss.item<double>();
  }
  return sum / options.accumulate;
}

// True when the run has stopped getting better.
bool validated(const LoopOptions& options, const LoopHooks& hooks, Place& place) {
  if (!hooks.validate || options.validate_every <= 0 || place.step % options.validate_every != 0)
    return false;
  const double loss = hooks.validate(place.step);
  const bool better = loss < place.best;
  if (better) {
    place.best = loss;
    place.stale = 0;
    if (hooks.best) hooks.best(place.step);
  } else {
    ++place.stale;
  }
  if (hooks.report)
    hooks.report(concat("validation after step ", place.step, ": ", loss,
                        better ? ", the best yet" : concat(", best was ", place.best)));
  return options.patience > 0 && place.stale >= options.patience;
}

}  // namespace

std::int64_t run_loop(const LoopOptions& options, Trainable& trainable, const LoopHooks& hooks) {
  if (options.accumulate < 1) fail(Cause::Usage, "accumulate: expected 1 or more");
  std::filesystem::create_directories(options.folder);
  const std::filesystem::path file = options.folder / "checkpoint.safetensors";
  Place place = resume(options, file, trainable);
  std::int64_t saved = place.step;
  Journal journal(options, hooks);
  bool enough = options.patience > 0 && place.stale >= options.patience;
  while (place.step < options.steps && !enough && !(hooks.stopped && hooks.stopped())) {
    const double loss = accumulate(options, hooks, place.step);
    const double norm = trainable.update(rate_at(options, place.step));
    ++place.step;
    journal.add(place.step, loss, norm);
    enough = validated(options, hooks, place);
    if (place.step % options.save_every == 0) {
      save(file, trainable, place, options.seed);
      saved = place.step;
    }
    if (hooks.sheet && options.sheet_every > 0 && place.step % options.sheet_every == 0)
      hooks.sheet(place.step);
  }
  if (saved != place.step) save(file, trainable, place, options.seed);
  return place.step;
}

}  // namespace affiche::diffusion
