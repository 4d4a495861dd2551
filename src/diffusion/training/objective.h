// SPDX-License-Identifier: Apache-2.0
// The training objective: predict the velocity of a latent on its way to noise.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <nlohmann/json.hpp>

namespace affiche::diffusion {

// Signal and noise by timestep, float32, 1000 entries: x_t = signal[t] x + noise[t] e. The betas of
// Stable Diffusion, rescaled so that signal[999] is 0 (Lin et al. 2024, algorithm 1).
struct NoiseSchedule {
  at::Tensor signal, noise;
  static NoiseSchedule zero_terminal();
  // What a model was trained with, from its scheduler's config. BadInput for betas that make none.
  static NoiseSchedule of_scheduler(const nlohmann::ordered_json& config);
};

enum class Prediction { Epsilon, Velocity, Sample };
// From prediction_type of a scheduler's config; BadInput for another one.
Prediction prediction_of(const nlohmann::ordered_json& config);

struct LossOptions {
  Prediction prediction = Prediction::Epsilon;
  // Limits the weight of steps to this signal-to-noise ratio, as diffusers' trainers do (Hang et
  // al. 2023): min(SNR, limit) / SNR for epsilon, / (SNR + 1) for velocity, min(SNR, limit) for the
  // sample. 0: all weigh alike.
  double min_snr = 0;
};

// (sample B×C×h×w, timesteps B) -> velocity of the same shape.
using Velocity = std::function<at::Tensor(const at::Tensor& sample, const at::Tensor& timesteps)>;

// Mean square error of the predicted velocity for latents B×C×h×w (float32), a scalar. Timesteps
// are spread evenly over the batch. `min_snr` above 0 limits the weight of steps with little noise
// to that signal-to-noise ratio (Hang et al. 2023, with SNR + 1 so that pure noise keeps weight 1):
// right for content. 0 weighs all alike (Lin et al. 2024): right for smooth grounds, whose grain is
// decided in those very steps. `shift` above 1 draws more of the timesteps near noise, u becoming
// shift u / (1 + (shift - 1) u) (Esser et al. 2024, equation 23): what a picture is of, and where,
// is decided there, the earlier the smoother and larger it is.
at::Tensor velocity_loss(const NoiseSchedule& schedule, const Velocity& predict,
                         const at::Tensor& latents, at::Generator generator, double min_snr = 0,
                         double shift = 1);

// Mean square error of what the model predicts of latents (B×C×h×w, float32) with this noise at
// these timesteps (B), a scalar.
at::Tensor denoising_loss(const NoiseSchedule& schedule, const Velocity& predict,
                          const at::Tensor& latents, const at::Tensor& noise,
                          const at::Tensor& timesteps, const LossOptions& options);

}  // namespace affiche::diffusion
