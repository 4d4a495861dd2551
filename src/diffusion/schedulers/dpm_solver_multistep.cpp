// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/dpm_solver_multistep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

// Below this number of steps the last ones are taken at lower order.
constexpr std::size_t kFewSteps = 15;

// -Infinity, which Python writes as a bare word and parse_json() turns into a string.
double read_lambda_min(ConfigReader& reader, const Json& json) {
  const auto found = json.find("lambda_min_clipped");
  if (found != json.end() && found->is_string() && *found == "-Infinity") {
    reader.ignore({"lambda_min_clipped"});
    return -std::numeric_limits<double>::infinity();
  }
  return reader.number("lambda_min_clipped", -std::numeric_limits<double>::infinity());
}

void read_algorithm(ConfigReader& reader, DPMSolverConfig& c) {
  // Names of other multistep classes stand for the nearest one here, as in diffusers.
  const std::string algorithm =
      choice(reader, "algorithm_type", "dpmsolver++",
             {"dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis"});
  c.plus_plus = algorithm.ends_with("++") || algorithm == "deis";
  c.stochastic = algorithm.starts_with("sde-");
  c.heun = choice(reader, "solver_type", "midpoint",
                  {"midpoint", "heun", "logrho", "bh1", "bh2"}) == "heun";
  c.solver_order = reader.integer("solver_order", c.solver_order);
  if (c.solver_order > 3) reader.refuse("solver_order", "expected 1, 2 or 3");
  c.final_sigma_zero = choice(reader, "final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
  if (!c.plus_plus && c.final_sigma_zero) {
    reader.refuse("algorithm_type", "expected final_sigmas_type sigma_min with this algorithm");
  }
  if (!c.plus_plus && c.stochastic && c.solver_order == 3) {
    reader.refuse("solver_order", "expected 1 or 2 with the algorithm sde-dpmsolver");
  }
  if (!c.plus_plus && c.prediction_type == "flow_prediction") {
    reader.refuse("algorithm_type", "expected dpmsolver++ with flow_prediction");
  }
}

}  // namespace

DPMSolverConfig DPMSolverConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DPMSolverMultistepScheduler config");
  DPMSolverConfig c;
  c.noise = read_noise_schedule(reader, json);
  c.prediction_type = choice(reader, "prediction_type", c.prediction_type,
                             {"epsilon", "sample", "v_prediction", "flow_prediction"});
  c.thresholding = reader.flag("thresholding", c.thresholding);
  c.dynamic_thresholding_ratio =
      reader.number("dynamic_thresholding_ratio", c.dynamic_thresholding_ratio);
  c.sample_max_value = reader.number("sample_max_value", c.sample_max_value);
  read_algorithm(reader, c);
  c.lower_order_final = reader.flag("lower_order_final", c.lower_order_final);
  c.euler_at_final = reader.flag("euler_at_final", c.euler_at_final);
  c.spacing = read_sigma_spacing(reader);
  c.use_lu_lambdas = reader.flag("use_lu_lambdas", c.use_lu_lambdas);
  c.use_flow_sigmas = reader.flag("use_flow_sigmas", c.use_flow_sigmas);
  c.flow_shift = reader.number("flow_shift", c.flow_shift);
  c.lambda_min_clipped = read_lambda_min(reader, json);
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  reader.only("variance_type");
  reader.only("use_dynamic_shifting", "false");
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

DPMSolverMultistepScheduler::DPMSolverMultistepScheduler(const DPMSolverConfig& config)
    : config_(config), table_(alphas_cumprod(config.noise), config.noise.rescale_betas_zero_snr) {
  // Steps whose lambda = -log(sigma) is below the limit are left out at the noisy end.
  std::int64_t clipped = 0;
  for (auto log = table_.logs.rbegin(); log != table_.logs.rend(); ++log) {
    if (-static_cast<double>(*log) >= config.lambda_min_clipped) break;
    ++clipped;
  }
  last_timestep_ = config.noise.num_train_timesteps - clipped;
}

// Other counts and roundings than DDIM's: n + 1 points, of which the last, clean one is dropped.
std::vector<double> DPMSolverMultistepScheduler::timesteps_by_spacing(std::int64_t n) const {
  std::vector<double> steps;
  if (config_.timestep_spacing == "trailing") {
    const auto total = static_cast<double>(config_.noise.num_train_timesteps);
    for (const double t :
         arange_down(static_cast<double>(last_timestep_), total / static_cast<double>(n))) {
      steps.push_back(std::nearbyint(t) - 1);
    }
    return steps;
  }
  if (config_.timestep_spacing == "leading") {
    const std::int64_t stride = last_timestep_ / (n + 1);
    for (std::int64_t i = n; i >= 1; --i) {
      steps.push_back(static_cast<double>(i * stride + config_.steps_offset));
    }
    return steps;
  }
  for (const double t : linspace(0, static_cast<double>(last_timestep_ - 1), n + 1)) {
    steps.push_back(std::nearbyint(t));
  }
  std::reverse(steps.begin(), steps.end());
  steps.pop_back();
  return steps;
}

void DPMSolverMultistepScheduler::set_timesteps(std::int64_t n) {
  check_step_count(class_name(), n, last_timestep_);
  std::vector<double> steps;
  std::vector<double> levels;
  const bool whole = config_.noise.beta_schedule != "squaredcos_cap_v2";
  const auto find_steps = [&](bool rounded) {
    for (const double level : levels) {
      const double t = table_.to_timestep(level);
      steps.push_back(rounded ? std::nearbyint(t) : t);
    }
  };
  if (config_.spacing != SigmaSpacing::AsTimesteps) {
    levels = respace(config_.spacing, table_.first(), table_.last(), n);
    find_steps(whole && config_.spacing == SigmaSpacing::Karras);
  } else if (config_.use_lu_lambdas) {
    for (const double log : linspace(table_.logs.back(), table_.logs.front(), n)) {
      levels.push_back(std::exp(log));
    }
    find_steps(whole);
  } else if (config_.use_flow_sigmas) {
    const auto total = static_cast<double>(config_.noise.num_train_timesteps);
    for (const double alpha : linspace(1, 1 / total, n + 1)) {
      const double sigma = 1 - alpha;
      levels.push_back(config_.flow_shift * sigma / (1 + (config_.flow_shift - 1) * sigma));
    }
    std::reverse(levels.begin(), levels.end());
    levels.pop_back();
    for (const double level : levels) steps.push_back(level * total);
  } else {
    steps = timesteps_by_spacing(n);
    levels = table_.at_timesteps(steps);
  }
  sigmas_ = sigma_tensor(levels, config_.final_sigma_zero ? 0 : table_.first());
  sigma_ = to_floats(sigmas_);
  begin(int64_tensor(steps));
  outputs_.clear();
}

DPMSolverMultistepScheduler::Level DPMSolverMultistepScheduler::level(std::size_t place) const {
  const float sigma = sigma_[place];
  float alpha = 1 - sigma;
  float own_sigma = sigma;
  if (!config_.use_flow_sigmas) {
    alpha = 1 / std::sqrt(sigma * sigma + 1);
    own_sigma = sigma * alpha;
  }
  return {alpha, own_sigma, std::log(alpha) - std::log(own_sigma)};
}

// The network's prediction as the quantity that the solver integrates.
at::Tensor DPMSolverMultistepScheduler::converted(const at::Tensor& model_output,
                                                  const at::Tensor& sample) const {
  if (!config_.plus_plus) return converted_to_noise(model_output, sample);
  const Level now = level(index());
  at::Tensor original = model_output;
  if (config_.prediction_type == "epsilon") {
    original = (sample - model_output * now.sigma) / now.alpha;
  } else if (config_.prediction_type == "v_prediction") {
    original = sample * now.alpha - model_output * now.sigma;
  } else if (config_.prediction_type == "flow_prediction") {
    original = sample - model_output * sigma_[index()];
  }
  if (!config_.thresholding) return original;
  return threshold_sample(original, config_.dynamic_thresholding_ratio, config_.sample_max_value);
}

at::Tensor DPMSolverMultistepScheduler::converted_to_noise(const at::Tensor& model_output,
                                                           const at::Tensor& sample) const {
  const Level now = level(index());
  at::Tensor epsilon = model_output;
  if (config_.prediction_type == "sample") {
    epsilon = (sample - model_output * now.alpha) / now.sigma;
  } else if (config_.prediction_type == "v_prediction") {
    epsilon = model_output * now.alpha + sample * now.sigma;
  }
  if (!config_.thresholding) return epsilon;
  const at::Tensor original =
      threshold_sample((sample - epsilon * now.sigma) / now.alpha,
                       config_.dynamic_thresholding_ratio, config_.sample_max_value);
  return (sample - original * now.alpha) / now.sigma;
}

at::Tensor DPMSolverMultistepScheduler::step(const at::Tensor& model_output,
                                             const at::Tensor& given, const StepOptions& options) {
  const std::size_t place = index();
  const std::size_t steps = step_count();
  const bool few = config_.lower_order_final && steps < kFewSteps;
  const bool last_is_first_order =
      place + 1 == steps && (config_.euler_at_final || few || config_.final_sigma_zero);
  const bool second_at_most = place + 2 == steps && few;

  outputs_.push_front(converted(model_output, given));
  if (outputs_.size() > static_cast<std::size_t>(config_.solver_order)) outputs_.pop_back();
  const at::Tensor sample = given.to(at::kFloat);
  at::Tensor noise;
  if (config_.stochastic) {
    noise = randn(model_output.sizes(), options.generators, at::kFloat, model_output.device());
  }
  at::Tensor result;
  if (outputs_.size() == 1 || last_is_first_order) {
    result = first_order(sample, noise);
  } else if (outputs_.size() == 2 || second_at_most) {
    result = second_order(sample, noise);
  } else {
    result = third_order(sample, noise);
  }
  ++index_;
  return result.to(model_output.scalar_type());
}

at::Tensor DPMSolverMultistepScheduler::add_step_noise(const at::Tensor& result, const Level& to,
                                                       float h, const at::Tensor& noise) const {
  if (!config_.stochastic) return result;
  const float scale =
      config_.plus_plus ? std::sqrt(1 - std::exp(-2 * h)) : std::sqrt(std::exp(2 * h) - 1);
  return result + noise * (to.sigma * scale);
}

at::Tensor DPMSolverMultistepScheduler::first_order(const at::Tensor& sample,
                                                    const at::Tensor& noise) const {
  const Level from = level(index());
  const Level to = level(index() + 1);
  const float h = to.lambda - from.lambda;
  const at::Tensor& d0 = outputs_[0];
  at::Tensor result;
  if (config_.plus_plus && !config_.stochastic) {
    result = sample * (to.sigma / from.sigma) - d0 * (to.alpha * (std::exp(-h) - 1));
  } else if (config_.plus_plus) {
    result =
        sample * (to.sigma / from.sigma * std::exp(-h)) + d0 * (to.alpha * (1 - std::exp(-2 * h)));
  } else {
    const float twice = config_.stochastic ? 2 : 1;
    result = sample * (to.alpha / from.alpha) - d0 * (twice * (to.sigma * (std::exp(h) - 1)));
  }
  return add_step_noise(result, to, h, noise);
}

at::Tensor DPMSolverMultistepScheduler::second_order(const at::Tensor& sample,
                                                     const at::Tensor& noise) const {
  const Level to = level(index() + 1);
  const Level s0 = level(index());
  const Level s1 = level(index() - 1);
  const float h = to.lambda - s0.lambda;
  const float r0 = (s0.lambda - s1.lambda) / h;
  const at::Tensor& d0 = outputs_[0];
  const at::Tensor d1 = (outputs_[0] - outputs_[1]) * (1 / r0);
  at::Tensor result;
  if (config_.plus_plus && !config_.stochastic) {
    const float down = std::exp(-h) - 1;
    result = sample * (to.sigma / s0.sigma) - d0 * (to.alpha * down);
    result = config_.heun ? result + d1 * (to.alpha * (down / h + 1))
                          : result - d1 * (0.5f * (to.alpha * down));
  } else if (config_.plus_plus) {
    const float up = 1 - std::exp(-2 * h);
    result = sample * (to.sigma / s0.sigma * std::exp(-h)) + d0 * (to.alpha * up);
    result = config_.heun ? result + d1 * (to.alpha * (up / (-2 * h) + 1))
                          : result + d1 * (0.5f * (to.alpha * up));
  } else {
    const float up = std::exp(h) - 1;
    const float twice = config_.stochastic ? 2 : 1;
    result = sample * (to.alpha / s0.alpha) - d0 * (twice * (to.sigma * up));
    result = config_.heun ? result - d1 * (twice * (to.sigma * (up / h - 1)))
                          : result - d1 * (0.5f * twice * (to.sigma * up));
  }
  return add_step_noise(result, to, h, noise);
}

at::Tensor DPMSolverMultistepScheduler::third_order(const at::Tensor& sample,
                                                    const at::Tensor& noise) const {
  const Level to = level(index() + 1);
  const Level s0 = level(index());
  const Level s1 = level(index() - 1);
  const Level s2 = level(index() - 2);
  const float h = to.lambda - s0.lambda;
  const float r0 = (s0.lambda - s1.lambda) / h;
  const float r1 = (s1.lambda - s2.lambda) / h;
  const at::Tensor& d0 = outputs_[0];
  const at::Tensor d1_0 = (outputs_[0] - outputs_[1]) * (1 / r0);
  const at::Tensor d1_1 = (outputs_[1] - outputs_[2]) * (1 / r1);
  const at::Tensor d1 = d1_0 + (d1_0 - d1_1) * (r0 / (r0 + r1));
  const at::Tensor d2 = (d1_0 - d1_1) * (1 / (r0 + r1));
  at::Tensor result;
  if (config_.plus_plus && !config_.stochastic) {
    const float down = std::exp(-h) - 1;
    result = sample * (to.sigma / s0.sigma) - d0 * (to.alpha * down) +
             d1 * (to.alpha * (down / h + 1)) - d2 * (to.alpha * ((down + h) / (h * h) - 0.5f));
  } else if (config_.plus_plus) {
    const float up = 1 - std::exp(-2 * h);
    result = sample * (to.sigma / s0.sigma * std::exp(-h)) + d0 * (to.alpha * up) +
             d1 * (to.alpha * (up / (-2 * h) + 1)) +
             d2 * (to.alpha * ((up - 2 * h) / (4 * h * h) - 0.5f));
  } else {
    const float up = std::exp(h) - 1;
    result = sample * (to.alpha / s0.alpha) - d0 * (to.sigma * up) -
             d1 * (to.sigma * (up / h - 1)) - d2 * (to.sigma * ((up - h) / (h * h) - 0.5f));
  }
  return add_step_noise(result, to, h, noise);
}

at::Tensor DPMSolverMultistepScheduler::add_noise(const at::Tensor& original,
                                                  const at::Tensor& noise,
                                                  const at::Tensor& timesteps) const {
  const at::Tensor wanted = timesteps.to(at::kCPU, at::kDouble);
  std::vector<double> alphas, sigmas;
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    const Level one = level(begin_index_ > 0 ? begin_index_ : index_of(wanted[i].item<double>()));
    alphas.push_back(one.alpha);
    sigmas.push_back(one.sigma);
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(original.dim()), 1);
  shape[0] = wanted.numel();
  const auto column = [&](const std::vector<double>& values) {
    return float_tensor(values).to(original.device(), original.scalar_type()).reshape(shape);
  };
  return original * column(alphas) + noise * column(sigmas);
}

}  // namespace affiche::diffusion
