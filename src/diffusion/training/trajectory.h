// SPDX-License-Identifier: Apache-2.0
// The way of DDIM without noise (Song et al. 2021) from noise to a picture, in terms of velocity.
#pragma once

#include "diffusion/training/objective.h"

namespace affiche::diffusion {

// The timestep before step n of `steps` with trailing spacing, n from 0; -1, the picture itself,
// for n == steps (Lin et al. 2024).
std::int64_t trailing_timestep(int n, int steps);

// x B×C×h×w at timesteps `from` (B, int64, on the CPU), moved by its velocity to timesteps `to`,
// each below its `from`; -1 is the picture.
at::Tensor ddim_step(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& velocity,
                     const at::Tensor& from, const at::Tensor& to);

// The velocity with which ddim_step() takes x to y: what a student predicts that does in one step
// what its teacher did in several (Salimans and Ho 2022).
at::Tensor velocity_between(const NoiseSchedule& schedule, const at::Tensor& x,
                            const at::Tensor& from, const at::Tensor& y, const at::Tensor& to);

// From noise at the last timestep down to pictures, in `steps` steps.
at::Tensor sample_latents(const NoiseSchedule& schedule, const Velocity& predict,
                          const at::Tensor& noise, int steps);

}  // namespace affiche::diffusion
