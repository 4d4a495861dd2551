// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/loop.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/journal.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

// Where a run stands.
struct Place {
  std::int64_t step = 0;
  double best = 1e30;      // validation
  std::int64_t stale = 0;  // validations since
  at::Tensor pending;      // of the journal
};

void save(const std::filesystem::path& file, const Trainable& trainable, const Place& place,
          Journal& journal, const LoopOptions& options) {
  StateDict state = trainable.state();
  state["step"] = at::scalar_tensor(place.step, at::kLong);
  state["validation"] =
      at::stack({at::scalar_tensor(place.best, at::kDouble),
                 at::scalar_tensor(static_cast<double>(place.stale), at::kDouble)});
  state["journal"] = journal.pending();
  journal.sync();
  save_safetensors(file, state,
                   {{"seed", std::to_string(options.seed)}, {"settings", options.settings}});
}

void check_maker(const LoopOptions& options, const std::filesystem::path& file) {
  const auto metadata = safetensors_metadata(file);
  const auto seed = metadata.find("seed");
  if (seed == metadata.end() || seed->second != std::to_string(options.seed))
    fail(Cause::Usage, file.string(), ": expected a checkpoint of seed ", options.seed, ", found ",
         seed == metadata.end() ? "none" : seed->second, "; give the same seed or another folder");
  const auto settings = metadata.find("settings");
  if (settings != metadata.end() && settings->second != options.settings)
    fail(Cause::Usage, file.string(), ": expected a checkpoint of ", options.settings, ", found ",
         settings->second, "; give the same options or another folder");
}

Place resume(const LoopOptions& options, const std::filesystem::path& file, Trainable& trainable) {
  if (!std::filesystem::exists(file)) return {};
  check_maker(options, file);
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
  const auto journal = state.find("journal");
  if (journal != state.end()) place.pending = journal->second.clone();
  return place;
}

// Removes the half-written files of a run that was killed.
void sweep(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(kTemporaryPrefix))
      std::filesystem::remove(entry.path());
}

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
  if (options.accumulate < 1 || options.log_every < 1 || options.save_every < 1)
    fail(Cause::Usage, "expected accumulation, log lines and checkpoints every 1 or more, found ",
         options.accumulate, ", ", options.log_every, ", ", options.save_every);
  std::filesystem::create_directories(options.folder);
  const auto alone = FileLock::attempt(options.folder / "in-use.lock", FileLock::Kind::Exclusive);
  if (!alone)
    fail(Cause::Unavailable, options.folder.string(),
         ": another run trains in this folder; wait for its end or give another one");
  sweep(options.folder);
  const std::filesystem::path file = options.folder / "checkpoint.safetensors";
  Place place = resume(options, file, trainable);
  if (place.step > 0 && hooks.report)
    hooks.report(concat("goes on after step ", place.step, " of ", file.string()));
  std::int64_t saved = place.step;
  Journal journal(options, hooks, place.step, place.pending);
  bool enough = options.patience > 0 && place.stale >= options.patience;
  while (place.step < options.steps && !enough && !(hooks.stopped && hooks.stopped())) {
    const double loss = accumulate(options, hooks, place.step);
    const double norm = trainable.update(rate_at(options, place.step));
    ++place.step;
    journal.add(place.step, loss, norm);
    enough = validated(options, hooks, place);
    // Before the checkpoint: what a killed run has not drawn is then drawn when it goes on.
    if (hooks.sheet && options.sheet_every > 0 && place.step % options.sheet_every == 0)
      hooks.sheet(place.step);
    if (place.step % options.save_every == 0) {
      save(file, trainable, place, journal, options);
      saved = place.step;
    }
  }
  if (saved != place.step) save(file, trainable, place, journal, options);
  return place.step;
}

}  // namespace affiche::diffusion
