// SPDX-License-Identifier: Apache-2.0
// The training objective: predict the velocity of a latent on its way to noise.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>

namespace affiche::diffusion {

// Signal and noise by timestep, float32, 1000 entries: x_t = signal[t] x + noise[t] e. The betas of
// Stable Diffusion, rescaled so that signal[999] is 0 (Lin et al. 2024, algorithm 1).
struct NoiseSchedule {
  at::Tensor signal, noise;
  static NoiseSchedule zero_terminal();
};

// (sample B×C×h×w, timesteps B) -> velocity of the same shape.
using Velocity = std::function<at::Tensor(const at::Tensor& sample, const at::Tensor& timesteps)>;

// Weighted mean square error of the predicted velocity for latents B×C×h×w (float32). Timesteps are
// spread evenly over the batch. Weights are min-SNR's for velocities (Hang et al. 2023, gamma 5)
// with SNR + 1, so that pure noise, where the colours of the whole picture are decided, keeps
// weight 1.
at::Tensor velocity_loss(const NoiseSchedule& schedule, const Velocity& predict,
                         const at::Tensor& latents, at::Generator generator);

// DDIM without noise from the last timestep down, `steps` steps with trailing spacing.
at::Tensor sample_latents(const NoiseSchedule& schedule, const Velocity& predict,
                          const at::Tensor& noise, int steps);

}  // namespace affiche::diffusion
