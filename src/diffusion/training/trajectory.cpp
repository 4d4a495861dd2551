// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/trajectory.h"

#include <ATen/ATen.h>

#include <cmath>

namespace affiche::diffusion {
namespace {

// A step turns x towards the velocity: y = same x + other v. The picture has signal 1 and noise 0.
struct Turn {
  at::Tensor same, other;
  Turn(const NoiseSchedule& schedule, const at::Tensor& from, const at::Tensor& to,
       at::Device device) {
    const auto at_steps = [](const at::Tensor& table, double picture, const at::Tensor& timesteps) {
      return at::cat({at::full({1}, picture), table.to(at::kCPU)})
          .index_select(0, timesteps + 1)
          .view({-1, 1, 1, 1});
    };
    const at::Tensor signal = at_steps(schedule.signal, 1, from),
                     noise = at_steps(schedule.noise, 0, from),
                     next_signal = at_steps(schedule.signal, 1, to),
                     next_noise = at_steps(schedule.noise, 0, to);
    same = (next_signal * signal + next_noise * noise).to(device);
    other = (next_noise * signal - next_signal * noise).to(device);
  }
};

}  // namespace

std::int64_t trailing_timestep(int n, int steps) {
  return std::lround(1000.0 - 1000.0 * n / steps) - 1;
}

at::Tensor ddim_step(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& velocity,
                     const at::Tensor& from, const at::Tensor& to) {
  const Turn turn(schedule, from, to, x.device());
  return turn.same * x + turn.other * velocity;
}

at::Tensor velocity_between(const NoiseSchedule& schedule, const at::Tensor& x,
                            const at::Tensor& from, const at::Tensor& y, const at::Tensor& to) {
  const Turn turn(schedule, from, to, x.device());
  return (y - turn.same * x) / turn.other;
}

at::Tensor sample_latents(const NoiseSchedule& schedule, const Velocity& predict,
                          const at::Tensor& noise, int steps) {
  at::Tensor x = noise;
  for (int i = 0; i < steps; ++i) {
    const auto all_at = [&](int n) {
      return at::full({x.size(0)}, trailing_timestep(n, steps), at::kLong);
    };
    const at::Tensor from = all_at(i);
    const at::Tensor velocity = predict(x, from.to(x.device())).to(at::kFloat);
    x = ddim_step(schedule, x, velocity, from, all_at(i + 1));
  }
  return x;
}

}  // namespace affiche::diffusion
