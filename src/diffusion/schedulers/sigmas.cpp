// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/sigmas.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

// Continued fraction of the incomplete beta function by Lentz's method (Press et al., Numerical
// Recipes, 6.4); converges quickly for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  const auto held = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / held(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m <= 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / held(1 + even * d);
    c = held(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / held(1 + odd * d);
    c = held(1 + odd / c);
    result *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return result;
}

// The regularized incomplete beta function I_x(a, b).
double beta_probability(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

}  // namespace

SigmaSpacing read_sigma_spacing(ConfigReader& reader) {
  const bool karras = reader.flag("use_karras_sigmas", false);
  const bool exponential = reader.flag("use_exponential_sigmas", false);
  const bool beta = reader.flag("use_beta_sigmas", false);
  if (karras + exponential + beta > 1) {
    reader.refuse(karras ? "use_karras_sigmas" : "use_exponential_sigmas",
                  "only one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas");
  }
  if (karras) return SigmaSpacing::Karras;
  if (exponential) return SigmaSpacing::Exponential;
  return beta ? SigmaSpacing::Beta : SigmaSpacing::AsTimesteps;
}

bool read_final_sigma_zero(ConfigReader& reader) {
  return choice(reader, "final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
}

std::optional<double> read_positive(ConfigReader& reader, std::string_view key) {
  const double value = reader.number(key, -1);
  if (value == -1) return std::nullopt;
  if (!(value > 0)) reader.refuse(key, "expected a number above 0");
  return value;
}

SigmaTable::SigmaTable(at::Tensor alphas, bool zero_snr) {
  if (zero_snr) {
    alphas = alphas.clone();
    alphas[-1] = 0x1p-24;
  }
  sigmas = to_floats(((1 - alphas) / alphas).pow(0.5));
  for (const float sigma : sigmas) logs.push_back(std::log(sigma));
}

std::vector<double> SigmaTable::at_timesteps(std::span<const double> timesteps) const {
  std::vector<double> result;
  for (const double t : timesteps) {
    if (t <= 0) {
      result.push_back(first());
    } else if (t >= static_cast<double>(sigmas.size() - 1)) {
      result.push_back(last());
    } else {
      const auto low = static_cast<std::size_t>(t);
      const double left = sigmas[low];
      const double slope = static_cast<double>(sigmas[low + 1]) - left;
      result.push_back(slope * (t - static_cast<double>(low)) + left);
    }
  }
  return result;
}

double SigmaTable::to_timestep(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const auto after = std::upper_bound(logs.begin(), logs.end(), log_sigma,
                                      [](double value, float item) { return value < item; });
  const auto above = static_cast<std::size_t>(after - logs.begin());
  const std::size_t low = std::min(above == 0 ? 0 : above - 1, logs.size() - 2);
  const double left = logs[low];
  const double right = logs[low + 1];
  const double w = std::clamp((left - log_sigma) / (left - right), 0.0, 1.0);
  return (1 - w) * static_cast<double>(low) + w * static_cast<double>(low + 1);
}

std::vector<double> SigmaTable::to_timesteps(std::span<const double> levels) const {
  std::vector<double> result;
  for (const double level : levels) result.push_back(to_timestep(level));
  return result;
}

std::vector<double> respace(SigmaSpacing spacing, double smallest, double largest,
                            std::int64_t count, double rho) {
  std::vector<double> result;
  if (spacing == SigmaSpacing::Karras) {
    const double low = std::pow(smallest, 1 / rho);
    const double high = std::pow(largest, 1 / rho);
    for (const double ramp : linspace(0, 1, count)) {
      result.push_back(std::pow(high + ramp * (low - high), rho));
    }
  } else if (spacing == SigmaSpacing::Exponential) {
    for (const double log : linspace(std::log(largest), std::log(smallest), count)) {
      result.push_back(std::exp(log));
    }
  } else {
    for (const double ramp : linspace(0, 1, count)) {
      result.push_back(smallest + beta_quantile(1 - ramp, 0.6, 0.6) * (largest - smallest));
    }
  }
  return result;
}

double beta_quantile(double p, double a, double b) {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  double low = 0;
  double high = 1;
  // Plain bisection: a hundred halvings reach the spacing of doubles, and it cannot diverge.
  for (int i = 0; i < 100 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (beta_probability(middle, a, b) < p) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low + (high - low) / 2;
}

at::Tensor sigma_tensor(std::vector<double> sigmas, double final_sigma) {
  sigmas.push_back(final_sigma);
  return float_tensor(sigmas);
}

}  // namespace affiche::diffusion
