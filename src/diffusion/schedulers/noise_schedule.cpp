// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/noise_schedule.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kMostTrainSteps = 100'000;

// Nichol and Dhariwal, arXiv 2102.09672, formula (17).
double cosine_alpha_bar(double t) {
  const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
  return c * c;
}

double exponential_alpha_bar(double t) {
  return std::exp(-12 * t);
}

// A Laplace distribution of the logarithm of the signal-to-noise ratio (arXiv 2407.03297).
double laplace_alpha_bar(double t) {
  const double log = std::log(1 - 2 * std::fabs(0.5 - t) + 1e-6);
  const double snr = std::exp(-0.5 * std::copysign(1.0, 0.5 - t) * log);
  return std::sqrt(snr / (1 + snr));
}

at::Tensor betas_for(double (*alpha_bar)(double), std::int64_t count) {
  std::vector<double> betas;
  const auto n = static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const double t1 = static_cast<double>(i) / n;
    const double t2 = static_cast<double>(i + 1) / n;
    betas.push_back(std::min(1 - alpha_bar(t2) / alpha_bar(t1), 0.999));
  }
  return float_tensor(betas);
}

// Lin et al., "Common diffusion noise schedules and sample steps are flawed", algorithm 1.
at::Tensor zero_terminal_snr(const at::Tensor& betas) {
  at::Tensor root = (1.0 - betas).cumprod(0).sqrt();
  const at::Tensor first = root[0].clone();
  const at::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor bar = root.pow(2);
  const at::Tensor alphas = bar.slice(0, 1) / bar.slice(0, 0, -1);
  return 1 - at::cat({bar.slice(0, 0, 1), alphas});
}

at::Tensor betas_of(const NoiseScheduleConfig& c) {
  if (!c.trained_betas.empty()) return float_tensor(c.trained_betas);
  const auto options = at::TensorOptions().dtype(at::kFloat);
  if (c.beta_schedule == "linear") {
    return at::linspace(c.beta_start, c.beta_end, c.num_train_timesteps, options);
  }
  if (c.beta_schedule == "scaled_linear") {
    return at::linspace(std::sqrt(c.beta_start), std::sqrt(c.beta_end), c.num_train_timesteps,
                        options)
        .pow(2);
  }
  if (c.beta_schedule == "sigmoid") {
    return at::linspace(-6, 6, c.num_train_timesteps, options).sigmoid() *
               (c.beta_end - c.beta_start) +
           c.beta_start;
  }
  if (c.beta_schedule == "exp") return betas_for(exponential_alpha_bar, c.num_train_timesteps);
  if (c.beta_schedule == "laplace") return betas_for(laplace_alpha_bar, c.num_train_timesteps);
  return betas_for(cosine_alpha_bar, c.num_train_timesteps);
}

}  // namespace

std::int64_t read_num_train_timesteps(ConfigReader& reader) {
  const std::int64_t count = reader.integer("num_train_timesteps", 1000);
  if (count < 2 || count > kMostTrainSteps) {
    reader.refuse("num_train_timesteps", "expected 2 to 100000");
  }
  return count;
}

NoiseScheduleConfig read_noise_schedule(ConfigReader& reader, const Json& json,
                                        NoiseScheduleConfig c,
                                        std::initializer_list<std::string_view> also) {
  c.num_train_timesteps = read_num_train_timesteps(reader);
  c.beta_start = reader.number("beta_start", c.beta_start);
  c.beta_end = reader.number("beta_end", c.beta_end);
  if (!(c.beta_start > 0 && c.beta_start < 1)) reader.refuse("beta_start", "expected 0 < b < 1");
  if (!(c.beta_end > 0 && c.beta_end < 1)) reader.refuse("beta_end", "expected 0 < b < 1");
  std::vector<std::string_view> known = {"linear", "scaled_linear", "squaredcos_cap_v2"};
  known.insert(known.end(), also);
  c.beta_schedule = choice(reader, "beta_schedule", c.beta_schedule, known);
  c.rescale_betas_zero_snr = reader.flag("rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  reader.ignore({"trained_betas"});
  if (const auto betas = json.find("trained_betas"); betas != json.end() && !betas->is_null()) {
    if (!betas->is_array() || betas->size() != static_cast<std::size_t>(c.num_train_timesteps)) {
      reader.refuse("trained_betas", "expected a list of num_train_timesteps numbers");
    }
    for (const Json& beta : *betas) {
      if (!beta.is_number() || !(beta.get<double>() >= 0 && beta.get<double>() < 1)) {
        reader.refuse("trained_betas", "expected numbers from 0 to below 1");
      }
      c.trained_betas.push_back(beta.get<double>());
    }
  }
  return c;
}

at::Tensor alphas_cumprod(const NoiseScheduleConfig& config) {
  at::Tensor betas = betas_of(config);
  if (config.rescale_betas_zero_snr) betas = zero_terminal_snr(betas);
  return (1.0 - betas).cumprod(0);
}

std::vector<float> to_floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* data = flat.const_data_ptr<float>();
  return {data, data + flat.numel()};
}

void know_all_scheduler_keys(ConfigReader& reader) {
  reader.ignore({"algorithm_type",
                 "base_image_seq_len",
                 "base_shift",
                 "beta_end",
                 "beta_schedule",
                 "beta_start",
                 "clip_sample",
                 "clip_sample_range",
                 "denoise_to_zero",
                 "disable_corrector",
                 "dynamic_thresholding_ratio",
                 "euler_at_final",
                 "final_sigmas_type",
                 "flow_shift",
                 "interpolation_type",
                 "invert_sigmas",
                 "lambda_min_clipped",
                 "lower_order_final",
                 "max_image_seq_len",
                 "max_shift",
                 "noise_sampler_seed",
                 "num_train_timesteps",
                 "original_inference_steps",
                 "predict_x0",
                 "prediction_type",
                 "rescale_betas_zero_snr",
                 "rho",
                 "s_churn",
                 "s_noise",
                 "s_tmax",
                 "s_tmin",
                 "sample_max_value",
                 "set_alpha_to_one",
                 "shift",
                 "shift_terminal",
                 "sigma_data",
                 "sigma_max",
                 "sigma_min",
                 "sigma_schedule",
                 "skip_prk_steps",
                 "solver_order",
                 "solver_p",
                 "solver_type",
                 "steps_offset",
                 "stochastic_sampling",
                 "thresholding",
                 "time_shift_type",
                 "timestep_scaling",
                 "timestep_spacing",
                 "timestep_type",
                 "trained_betas",
                 "use_beta_sigmas",
                 "use_dynamic_shifting",
                 "use_exponential_sigmas",
                 "use_flow_sigmas",
                 "use_karras_sigmas",
                 "use_lu_lambdas",
                 "variance_type"});
}

std::string choice(ConfigReader& reader, std::string_view key, const std::string& fallback,
                   const std::vector<std::string_view>& choices) {
  std::string value = reader.text(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string known;
  for (const std::string_view one : choices) known += concat(known.empty() ? "" : ", ", one);
  reader.refuse(key, "expected one of " + known);
}

std::vector<double> linspace(double first, double last, std::int64_t count) {
  std::vector<double> values;
  const double step = count > 1 ? (last - first) / static_cast<double>(count - 1) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<double>(i) * step + first);
  }
  if (count > 1) values.back() = last;
  return values;
}

std::vector<double> arange_down(double first, double step) {
  const auto count = static_cast<std::int64_t>(std::ceil(first / step));
  // Numpy takes the difference of the first two elements for all.
  const double delta = (first - step) - first;
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(first + static_cast<double>(i) * delta);
  return values;
}

std::vector<double> spaced_timesteps(const std::string& spacing, std::int64_t n,
                                     const NoiseScheduleConfig& noise, std::int64_t steps_offset,
                                     bool rounded) {
  const auto total = static_cast<double>(noise.num_train_timesteps);
  std::vector<double> steps;
  if (spacing == "trailing") {
    for (const double t : arange_down(total, total / static_cast<double>(n))) {
      steps.push_back(std::nearbyint(t) - 1);
    }
    return steps;
  }
  if (spacing == "leading") {
    const std::int64_t stride = noise.num_train_timesteps / n;
    for (std::int64_t i = n - 1; i >= 0; --i) {
      steps.push_back(static_cast<double>(i * stride + steps_offset));
    }
    return steps;
  }
  steps = linspace(0, total - 1, n);
  std::reverse(steps.begin(), steps.end());
  if (rounded) {
    for (double& t : steps) t = std::nearbyint(t);
  }
  return steps;
}

void check_step_count(const char* scheduler, std::int64_t n, std::int64_t num_train_timesteps) {
  if (n >= 1 && n <= num_train_timesteps) return;
  fail(Cause::Usage, scheduler, ": expected 1 to ", num_train_timesteps, " steps, found ", n);
}

void check_timesteps(const char* scheduler, const at::Tensor& timesteps, std::size_t trained) {
  const auto smallest = timesteps.min().item<std::int64_t>();
  const auto largest = timesteps.max().item<std::int64_t>();
  if (smallest >= 0 && static_cast<std::size_t>(largest) < trained) return;
  fail(Cause::BadInput, scheduler, ": the time steps go from ", largest, " to ", smallest,
       ", those of training from ", trained - 1, " to 0; check steps_offset");
}

at::Tensor int64_tensor(const std::vector<double>& values) {
  at::Tensor result = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::transform(values.begin(), values.end(), result.mutable_data_ptr<std::int64_t>(),
                 [](double value) { return static_cast<std::int64_t>(value); });
  return result;
}

at::Tensor float_tensor(const std::vector<double>& values) {
  at::Tensor result = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::transform(values.begin(), values.end(), result.mutable_data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
  return result;
}

at::Tensor double_tensor(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

at::Tensor per_image(const std::vector<double>& values, const at::Tensor& picture) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(picture.dim()), 1);
  shape[0] = static_cast<std::int64_t>(values.size());
  return float_tensor(values).to(picture.device(), picture.scalar_type()).reshape(shape);
}

ClipConfig read_clip(ConfigReader& reader, bool clip_sample) {
  ClipConfig c;
  c.thresholding = reader.flag("thresholding", c.thresholding);
  c.dynamic_thresholding_ratio =
      reader.number("dynamic_thresholding_ratio", c.dynamic_thresholding_ratio);
  if (c.dynamic_thresholding_ratio < 0 || c.dynamic_thresholding_ratio > 1) {
    reader.refuse("dynamic_thresholding_ratio", "expected 0 to 1");
  }
  c.sample_max_value = reader.number("sample_max_value", c.sample_max_value);
  c.clip_sample = reader.flag("clip_sample", clip_sample);
  c.clip_sample_range = reader.number("clip_sample_range", c.clip_sample_range);
  return c;
}

at::Tensor ClipConfig::apply(const at::Tensor& sample) const {
  if (thresholding) return threshold_sample(sample, dynamic_thresholding_ratio, sample_max_value);
  return clip_sample ? sample.clamp(-clip_sample_range, clip_sample_range) : sample;
}

float exp_of(float value) {
  return at::scalar_tensor(value, at::kFloat).exp().item<float>();
}

float expm1_of(float value) {
  return at::scalar_tensor(value, at::kFloat).expm1().item<float>();
}

float log_of(float value) {
  return at::scalar_tensor(value, at::kFloat).log().item<float>();
}

at::Tensor threshold_sample(const at::Tensor& sample, double ratio, double largest) {
  const at::Tensor flat = sample.to(at::kFloat).reshape({sample.size(0), -1});
  const at::Tensor scale = flat.abs().quantile(ratio, 1).clamp(1.0, largest).unsqueeze(1);
  return (at::clamp(flat, -scale, scale) / scale).reshape(sample.sizes()).to(sample.scalar_type());
}

at::Tensor add_noise_at(const at::Tensor& alphas, const at::Tensor& original,
                        const at::Tensor& noise, const at::Tensor& timesteps) {
  const at::Tensor alpha =
      alphas.to(original.scalar_type()).index({timesteps.to(at::kCPU)}).to(original.device());
  std::vector<std::int64_t> shape(static_cast<std::size_t>(original.dim()), 1);
  shape[0] = alpha.numel();
  return alpha.pow(0.5).reshape(shape) * original + (1 - alpha).pow(0.5).reshape(shape) * noise;
}

}  // namespace affiche::diffusion
