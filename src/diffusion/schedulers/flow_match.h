// SPDX-License-Identifier: Apache-2.0
// What the flow-matching schedulers share: samples are x = (1 - sigma) x0 + sigma noise, the
// network predicts noise - x0 (Lipman et al., arXiv 2210.02747), and the levels are shifted towards
// noise for large pictures (Esser et al., arXiv 2403.03206, section 5.3.2).
#pragma once

#include <optional>

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct FlowShift {
  const char* scheduler = "";  // for errors
  double shift = 1;
  bool dynamic = false;            // the shift comes with the run, as mu
  bool linear = false;             // mu is the shift itself; otherwise its logarithm
  std::optional<double> terminal;  // stretches the levels so that the last one is this
};

// Shifts levels between 0 and 1 in place. Usage when mu is missing.
void shift_levels(std::vector<double>& levels, const FlowShift& shift, const RunOptions& options);
// options.sigmas, in float32 as diffusers keeps them; Usage unless there is one per step.
std::vector<double> given_sigmas(const char* scheduler, const RunOptions& options, std::int64_t n);
// Above 0 to below 1; none for null and 0.
std::optional<double> read_shift_terminal(ConfigReader& reader);
// The ends of n levels: of the shifted training schedule, as diffusers takes them, and therefore
// shifted twice in the end. `shift` 1: not shifted.
std::vector<double> flow_levels(std::int64_t n, std::int64_t num_train_timesteps, double shift);

}  // namespace affiche::diffusion
