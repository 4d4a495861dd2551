// SPDX-License-Identifier: Apache-2.0
// What the variance-preserving schedulers share: betas and their products, spacings of time steps,
// thresholding. Formulas and rounding are diffusers'.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "diffusion/nn/config_reader.h"

namespace affiche::diffusion {

struct NoiseScheduleConfig {
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.0001;
  double beta_end = 0.02;
  // Or "scaled_linear", "squaredcos_cap_v2"; a few classes know "exp", "laplace" and "sigmoid".
  std::string beta_schedule = "linear";
  std::vector<double> trained_betas;  // instead of the above, when not empty
  bool rescale_betas_zero_snr = false;
};

// The betas of Stable Diffusion, which some classes have as their defaults.
inline NoiseScheduleConfig stable_diffusion_noise(const std::string& beta_schedule) {
  NoiseScheduleConfig noise;
  noise.beta_start = 0.00085;
  noise.beta_end = 0.012;
  noise.beta_schedule = beta_schedule;
  return noise;
}

// 2 to 100000, 1000 when missing.
std::int64_t read_num_train_timesteps(ConfigReader& reader);
// Reads the keys above and checks them; `also`: further beta schedules that the class knows.
NoiseScheduleConfig read_noise_schedule(ConfigReader& reader, const nlohmann::ordered_json& json,
                                        NoiseScheduleConfig defaults = {},
                                        std::initializer_list<std::string_view> also = {});
// Products of 1 - beta, float32 on the CPU, num_train_timesteps long.
at::Tensor alphas_cumprod(const NoiseScheduleConfig& config);
std::vector<float> to_floats(const at::Tensor& tensor);

// Marks the keys of every scheduler of diffusers as known, so that only keys that no class has are
// refused by reader.finish().
void know_all_scheduler_keys(ConfigReader& reader);
// A text option that must be one of `choices`.
std::string choice(ConfigReader& reader, std::string_view key, const std::string& fallback,
                   const std::vector<std::string_view>& choices);

// Numpy's linspace and arange: the same rounding of every element.
std::vector<double> linspace(double first, double last, std::int64_t count);
std::vector<double> arange_down(double first, double step);  // first, first - step … above 0
// The time steps of a run of n steps, descending, with diffusers' "linspace", "leading" or
// "trailing" spacing; `rounded`: linspace gives whole steps too.
std::vector<double> spaced_timesteps(const std::string& spacing, std::int64_t n,
                                     const NoiseScheduleConfig& noise, std::int64_t steps_offset,
                                     bool rounded);
// Checks 1 <= n <= num_train_timesteps.
void check_step_count(const char* scheduler, std::int64_t n, std::int64_t num_train_timesteps);
// BadInput when a time step lies beyond those of training, as steps_offset can make it.
void check_timesteps(const char* scheduler, const at::Tensor& timesteps, std::size_t trained);
at::Tensor int64_tensor(const std::vector<double>& values);
at::Tensor float_tensor(const std::vector<double>& values);
at::Tensor double_tensor(const std::vector<double>& values);
// One number per image, in the picture's dtype and on its device, to broadcast over it.
at::Tensor per_image(const std::vector<double>& values, const at::Tensor& picture);

// thresholding, dynamic_thresholding_ratio, sample_max_value and clip_sample, clip_sample_range.
struct ClipConfig {
  bool thresholding = false;
  double dynamic_thresholding_ratio = 0.995;
  double sample_max_value = 1;
  bool clip_sample = false;
  double clip_sample_range = 1;

  // Thresholding counts more than clipping.
  at::Tensor apply(const at::Tensor& sample) const;
};
ClipConfig read_clip(ConfigReader& reader, bool clip_sample);

// The tensor library's own functions, whose last bit may differ from the standard library's: where
// differences cancel, or an interval is looked up by its ends, that bit decides.
float exp_of(float value);
float expm1_of(float value);
float log_of(float value);

// Dynamic thresholding of Imagen: per image, clamp to the quantile `ratio` of the magnitudes (at
// least 1, at most `largest`) and divide by it.
at::Tensor threshold_sample(const at::Tensor& sample, double ratio, double largest);

// sqrt(alpha) original + sqrt(1 - alpha) noise, timesteps: B int64.
at::Tensor add_noise_at(const at::Tensor& alphas, const at::Tensor& original,
                        const at::Tensor& noise, const at::Tensor& timesteps);

}  // namespace affiche::diffusion
