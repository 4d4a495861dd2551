// SPDX-License-Identifier: Apache-2.0
// Noise levels of the sigma-space schedulers and the ways to respace them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "diffusion/schedulers/noise_schedule.h"

namespace affiche::diffusion {

enum class SigmaSpacing { AsTimesteps, Karras, Exponential, Beta };

// Reads use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas; at most one may be true.
SigmaSpacing read_sigma_spacing(ConfigReader& reader);

// final_sigmas_type: "zero" or "sigma_min".
bool read_final_sigma_zero(ConfigReader& reader);
// A number above 0, or none when the key is missing or null.
std::optional<double> read_positive(ConfigReader& reader, std::string_view key);

// sqrt((1 - alpha) / alpha) of every training step, in float32 as diffusers keeps them.
struct SigmaTable {
  std::vector<float> sigmas;
  std::vector<float> logs;

  // Rescaled products end in 0, whose sigma is infinite: with `zero_snr` the last alpha is 2^-24,
  // the smallest positive fp16 number.
  SigmaTable(at::Tensor alphas, bool zero_snr);
  double first() const { return sigmas.front(); }  // the smallest
  double last() const { return sigmas.back(); }    // the largest
  // Linear interpolation at fractional time steps, held at the ends.
  std::vector<double> at_timesteps(std::span<const double> timesteps) const;
  // The fractional time step of a noise level, linear in its logarithm, held at the ends.
  double to_timestep(double sigma) const;
  std::vector<double> to_timesteps(std::span<const double> sigmas) const;
};

// `count` levels from `largest` to `smallest`. Karras et al. (formula (5)), exponential, or spaced
// by the quantiles of the Beta(0.6, 0.6) distribution. Not for AsTimesteps.
std::vector<double> respace(SigmaSpacing spacing, double smallest, double largest,
                            std::int64_t count, double rho = 7);

// Quantile function of Beta(a, b), 0 <= p <= 1, to about 1e-14.
double beta_quantile(double p, double a, double b);

// The levels, then the final one, in float32 on the CPU.
at::Tensor sigma_tensor(std::vector<double> sigmas, double final_sigma);

}  // namespace affiche::diffusion
