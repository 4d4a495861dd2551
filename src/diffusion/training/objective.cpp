// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/objective.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/schedulers/noise_schedule.h"

namespace affiche::diffusion {

NoiseSchedule NoiseSchedule::zero_terminal() {
  const at::Tensor betas =
      at::linspace(std::sqrt(0.00085), std::sqrt(0.012), 1000, at::kDouble).square();
  const at::Tensor root = at::cumprod(1 - betas, 0).sqrt();
  const at::Tensor first = root[0], last = root[999];
  const at::Tensor signal = (root - last) * (first / (first - last));
  return {signal.to(at::kFloat), (1 - signal.square()).sqrt().to(at::kFloat)};
}

NoiseSchedule NoiseSchedule::of_scheduler(const nlohmann::ordered_json& config) {
  ConfigReader reader(config, "scheduler");
  const at::Tensor products = alphas_cumprod(read_noise_schedule(reader, config));
  return {products.sqrt(), (1 - products).sqrt()};
}

Prediction prediction_of(const nlohmann::ordered_json& config) {
  const std::string type = config.value("prediction_type", "epsilon");
  if (type == "epsilon") return Prediction::Epsilon;
  if (type == "v_prediction") return Prediction::Velocity;
  if (type == "sample") return Prediction::Sample;
  fail(Cause::BadInput,
       "scheduler: prediction_type: expected epsilon, v_prediction or sample, found ", type,
       "; this model cannot be trained here");
}

at::Tensor denoising_loss(const NoiseSchedule& schedule, const Velocity& predict,
                          const at::Tensor& latents, const at::Tensor& noise,
                          const at::Tensor& timesteps, const LossOptions& options) {
  const at::Tensor signal =
      schedule.signal.to(latents.device()).index_select(0, timesteps).view({-1, 1, 1, 1});
  const at::Tensor spread =
      schedule.noise.to(latents.device()).index_select(0, timesteps).view({-1, 1, 1, 1});
  const at::Tensor predicted = predict(signal * latents + spread * noise, timesteps).to(at::kFloat);
  const bool velocity = options.prediction == Prediction::Velocity;
  const at::Tensor target = velocity ? signal * noise - spread * latents
                            : options.prediction == Prediction::Sample ? latents
                                                                       : noise;
  const at::Tensor error = (predicted - target).square();
  if (options.min_snr <= 0) return error.mean();
  const at::Tensor ratio = (signal / spread).square();
  const at::Tensor limited = ratio.clamp_max(options.min_snr);
  if (options.prediction == Prediction::Sample) return (error * limited).mean();
  // Pure noise has no ratio to divide by; for epsilon its weight is that of all low ratios, 1.
  return (error *
          (velocity ? limited / (ratio + 1) : limited.clamp_min(1e-8) / ratio.clamp_min(1e-8)))
      .mean();
}

at::Tensor velocity_loss(const NoiseSchedule& schedule, const Velocity& predict,
                         const at::Tensor& latents, at::Generator generator, double min_snr,
                         double shift) {
  const std::int64_t batch = latents.size(0);
  // Drawn on the CPU, so that every device sees the same numbers.
  const auto cpu = at::TensorOptions(at::kFloat);
  const at::Tensor noise = at::randn(latents.sizes(), generator, cpu).to(latents.device());
  const at::Tensor start = at::rand({1}, generator, cpu);
  at::Tensor place = (at::arange(batch, cpu) + start) * (1000.0 / static_cast<double>(batch));
  if (shift != 1) place = shift * place / (1 + (shift - 1) / 1000 * place);
  const at::Tensor timesteps = place.floor().clamp(0, 999).to(at::kLong);
  const auto at_steps = [&](const at::Tensor& table) {
    return table.index_select(0, timesteps).view({-1, 1, 1, 1}).to(latents.device());
  };
  const at::Tensor signal = at_steps(schedule.signal), spread = at_steps(schedule.noise);
  const at::Tensor predicted =
      predict(signal * latents + spread * noise, timesteps.to(latents.device())).to(at::kFloat);
  const at::Tensor target = signal * noise - spread * latents;
  const at::Tensor error = (predicted - target).square();
  if (min_snr <= 0) return error.mean();
  const at::Tensor ratio = (signal / spread).square() + 1;
  return (error * (ratio.clamp_max(min_snr) / ratio)).mean();
}

}  // namespace affiche::diffusion
