// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/journal.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// The lines of steps up to `step`; what follows the first other line goes.
std::string kept_lines(const std::string& text, std::int64_t step) {
  std::size_t kept = 0;
  for (;;) {
    const std::size_t end = text.find('\n', kept);
    if (end == std::string::npos) break;
    const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(kept),
                                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer() ||
        line["step"].get<std::int64_t>() > step)
      break;
    kept = end + 1;
  }
  return text.substr(0, kept);
}

}  // namespace

std::string time_left(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 3600) return concat(whole / 3600, " h ", whole % 3600 / 60, " min left");
  if (whole >= 60) return concat(whole / 60, " min ", whole % 60, " s left");
  return concat(whole, " s left");
}

Journal::Journal(const LoopOptions& options, const LoopHooks& hooks, std::int64_t step,
                 const at::Tensor& pending)
    : options_(options), hooks_(hooks), path_(options.folder / "log.jsonl") {
  if (std::filesystem::exists(path_)) {
    const std::string text = read_text(path_, kMostBytes);
    const std::string kept = kept_lines(text, step);
    if (kept.size() != text.size()) write_atomically(path_, kept);
  }
  file_.reset(std::fopen(path_.c_str(), "a"));
  if (!file_) fail(Cause::Unavailable, path_.string(), ": cannot be written");
  if (!pending.defined() || pending.numel() != 2) return;
  sum_ = pending[0].item<double>();
  count_ = static_cast<std::int64_t>(pending[1].item<double>());
}

void Journal::add(std::int64_t step, double loss, double norm) {
  sum_ += loss;
  ++count_;
  ++steps_since_;
  const bool logged = step % options_.log_every == 0;
  if (!logged && !hooks_.progress) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - since_).count();
  Progress progress;
  progress.step = step;
  progress.steps = options_.steps;
  progress.loss = sum_ / static_cast<double>(count_);
  progress.images_per_second =
      static_cast<double>(steps_since_ * options_.images_per_step) / seconds;
  progress.seconds_left =
      static_cast<double>(options_.steps - step) * seconds / static_cast<double>(steps_since_);
  if (hooks_.progress) hooks_.progress(progress);
  if (!logged) return;
  const Json line = {{"step", step},
                     {"loss", progress.loss},
                     {"gradient", norm},
                     {"images_per_second", progress.images_per_second},
                     {"rate", rate_at(options_, step - 1)}};
  const std::string text = line.dump() + "\n";
  if (std::fputs(text.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0)
    fail(Cause::Unavailable, path_.string(), ": cannot be written; is the disk full?");
  if (hooks_.report && !hooks_.progress) hooks_.report(in_words(progress));
  sum_ = 0;
  count_ = steps_since_ = 0;
  since_ = Clock::now();
}

at::Tensor Journal::pending() const {
  return at::stack({at::scalar_tensor(sum_, at::kDouble),
                    at::scalar_tensor(static_cast<double>(count_), at::kDouble)});
}

void Journal::sync() {
  if (::fsync(::fileno(file_.get())) != 0)
    fail(Cause::Unavailable, path_.string(), ": cannot be brought to the disk");
}

std::string in_words(const Progress& progress) {
  char text[160];
  std::snprintf(text, sizeof text, "step %lld of %lld, loss %.4f, %.2f pictures a second, %s",
                static_cast<long long>(progress.step), static_cast<long long>(progress.steps),
                progress.loss, progress.images_per_second,
                time_left(progress.seconds_left).c_str());
  return text;
}

}  // namespace affiche::diffusion
