// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/flow_match.h"

#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

double shifted(double level, double shift) {
  return shift * level / (1 + (shift - 1) * level);
}

}  // namespace

void shift_levels(std::vector<double>& levels, const FlowShift& shift, const RunOptions& options) {
  if (shift.dynamic && !options.mu) {
    fail(Cause::Usage, shift.scheduler,
         ": use_dynamic_shifting: expected mu, the shift for the picture's size");
  }
  // With a logarithm, and written as mu / (mu + 1 / level - 1), this is the same shift.
  double factor = shift.shift;
  if (shift.dynamic) factor = shift.linear ? *options.mu : std::exp(*options.mu);
  for (double& level : levels) level = shifted(level, factor);
  if (!shift.terminal) return;
  const double scale = (1 - levels.back()) / (1 - *shift.terminal);
  for (double& level : levels) level = 1 - (1 - level) / scale;
}

std::vector<double> given_sigmas(const char* scheduler, const RunOptions& options, std::int64_t n) {
  if (options.sigmas.empty()) return {};
  if (options.sigmas.size() != static_cast<std::size_t>(n)) {
    fail(Cause::Usage, scheduler, ": sigmas: expected ", n, ", one per step, found ",
         options.sigmas.size());
  }
  std::vector<double> levels;
  for (const double sigma : options.sigmas) {
    if (!(sigma > 0 && sigma <= 1)) {
      fail(Cause::Usage, scheduler, ": sigmas: expected above 0 to 1, found ", sigma);
    }
    levels.push_back(static_cast<float>(sigma));
  }
  return levels;
}

std::optional<double> read_shift_terminal(ConfigReader& reader) {
  const double value = reader.number("shift_terminal", 0);
  if (value == 0) return std::nullopt;
  if (!(value > 0 && value < 1)) reader.refuse("shift_terminal", "expected above 0 to below 1");
  return value;
}

std::vector<double> flow_levels(std::int64_t n, std::int64_t num_train_timesteps, double shift) {
  const auto total = static_cast<double>(num_train_timesteps);
  const auto single = [&](double level) {
    return static_cast<double>(static_cast<float>(shifted(level, shift)));
  };
  std::vector<double> levels = linspace(single(1) * total, single(1 / total) * total, n);
  for (double& level : levels) level /= total;
  return levels;
}

}  // namespace affiche::diffusion
