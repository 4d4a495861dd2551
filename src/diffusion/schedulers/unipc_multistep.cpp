// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/unipc_multistep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/flow_match.h"

namespace affiche::diffusion {
namespace {

std::set<std::int64_t> read_steps(ConfigReader& reader, const Json& json, const char* key) {
  std::set<std::int64_t> steps;
  reader.ignore({key});
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return steps;
  if (!found->is_array()) reader.refuse(key, "expected a list of step numbers");
  for (const Json& item : *found) {
    if (!item.is_number_integer()) reader.refuse(key, "expected a list of step numbers");
    steps.insert(item.get<std::int64_t>());
  }
  return steps;
}

void read_solver_type(ConfigReader& reader, UniPCConfig& c) {
  // Names of other multistep classes stand for the default here, as in diffusers.
  c.bh2 =
      choice(reader, "solver_type", "bh2", {"bh1", "bh2", "midpoint", "heun", "logrho"}) != "bh1";
  c.predict_x0 = reader.flag("predict_x0", c.predict_x0);
  if (!c.predict_x0 && c.prediction_type == "flow_prediction") {
    reader.refuse("predict_x0", "expected true with flow_prediction");
  }
  if (!c.predict_x0) c.clip.thresholding = false;  // not an option of this form
  c.final_sigma_zero = read_final_sigma_zero(reader);
  if (c.final_sigma_zero && c.solver_order > 1 && !c.lower_order_final) {
    reader.refuse("lower_order_final",
                  "expected true, or final_sigmas_type sigma_min: level 0 is "
                  "infinitely far away for all orders above 1");
  }
  if (c.final_sigma_zero && !c.predict_x0) {
    reader.refuse("predict_x0", "expected true, or final_sigmas_type sigma_min");
  }
}

// The weights of `count` differences: the solution of R rho = b, theorem 3.1, with
// R_ij = r_j^(i-1) and b_i = i! phi_(i+1)(h) h / B(h). One difference gets its limit for small h.
std::vector<float> coefficients(const std::vector<float>& ratios, std::size_t count, float h,
                                float b_of_h) {
  if (count == 1) return {0.5f};
  const auto size = static_cast<std::int64_t>(count);
  const at::Tensor r = at::tensor(ratios, at::kFloat).slice(0, 0, size);
  std::vector<at::Tensor> rows;
  std::vector<float> b;
  float phi = expm1_of(h) / h - 1;
  float factorial = 1;
  for (std::int64_t i = 1; i <= size; ++i) {
    rows.push_back(r.pow(i - 1));
    b.push_back(phi * factorial / b_of_h);
    factorial *= static_cast<float>(i + 1);
    phi = phi / h - 1 / factorial;
  }
  return to_floats(at::linalg_solve(at::stack(rows), at::tensor(b, at::kFloat)));
}

}  // namespace

UniPCConfig UniPCConfig::from_json(const Json& json) {
  ConfigReader reader(json, "UniPCMultistepScheduler config");
  UniPCConfig c;
  static_cast<SolverConfig&>(c) = read_solver(reader, json);
  read_solver_type(reader, c);
  c.disable_corrector = read_steps(reader, json, "disable_corrector");
  c.sigma_min = read_positive(reader, "sigma_min");
  c.sigma_max = read_positive(reader, "sigma_max");
  c.shift_terminal = read_shift_terminal(reader);
  if (c.shift_terminal && !c.use_flow_sigmas) {
    reader.refuse("shift_terminal", "expected use_flow_sigmas with this option");
  }
  reader.only("solver_p");
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

ExponentialSolver::Run UniPCMultistepScheduler::unipc_respaced_run(std::int64_t n) const {
  Run run;
  run.levels = respace(config_.spacing, config_.sigma_min.value_or(table_.first()),
                       config_.sigma_max.value_or(table_.last()), n);
  run.timesteps = table_.to_timesteps(run.levels);
  if (config_.spacing != SigmaSpacing::Karras) return run;
  const auto total = static_cast<double>(config_.noise.num_train_timesteps);
  for (std::size_t i = 0; i < run.levels.size(); ++i) {
    if (config_.use_flow_sigmas) {
      run.levels[i] = run.levels[i] / (run.levels[i] + 1);
      run.timesteps[i] = run.levels[i] * total;
    } else {
      run.timesteps[i] = std::nearbyint(run.timesteps[i]);
    }
  }
  return run;
}

ExponentialSolver::Run UniPCMultistepScheduler::unipc_flow_run(std::int64_t n,
                                                               const RunOptions& options) const {
  const auto total = static_cast<double>(config_.noise.num_train_timesteps);
  Run run;
  run.levels = given_sigmas(class_name(), options, n);
  if (run.levels.empty()) {
    run.levels = linspace(1, 1 / total, n + 1);
    run.levels.pop_back();
  }
  shift_levels(run.levels,
               {class_name(), config_.flow_shift, config_.use_dynamic_shifting,
                config_.time_shift_type == "linear", config_.shift_terminal},
               options);
  // At level 1 there is no sample left to divide by.
  constexpr double kLeast = 1e-6;
  if (std::fabs(run.levels[0] - 1) < kLeast) run.levels[0] -= kLeast;
  for (const double level : run.levels) run.timesteps.push_back(level * total);
  return run;
}

void UniPCMultistepScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, config_.noise.num_train_timesteps);
  last_sample_.reset();
  last_order_ = 1;
  Run run;
  double smallest = table_.first();
  if (config_.spacing != SigmaSpacing::AsTimesteps) {
    run = unipc_respaced_run(n);
    smallest = run.levels.back();
  } else if (config_.use_flow_sigmas) {
    run = unipc_flow_run(n, options);
    smallest = run.levels.back();
  } else {
    run = spaced_run(n, config_.noise.num_train_timesteps);
  }
  start(run, config_.final_sigma_zero ? 0 : smallest);
}

at::Tensor UniPCMultistepScheduler::step(const at::Tensor& model_output, const at::Tensor& given,
                                         const StepOptions&) {
  const std::size_t place = index();
  at::Tensor sample = given;
  const at::Tensor prediction = config_.predict_x0 ? predicted_original(model_output, sample)
                                                   : predicted_noise(model_output, sample);
  const bool disabled = config_.disable_corrector.contains(static_cast<std::int64_t>(place) - 1);
  if (last_sample_.defined() && place > 0 && !disabled) {
    sample = update(last_sample_, place - 1, last_order_, prediction);
  }
  remember(prediction);
  std::size_t order = outputs_.size();
  if (config_.lower_order_final) order = std::min(order, step_count() - place);
  last_sample_ = sample;
  last_order_ = order;
  const at::Tensor result = update(sample, place, order, {});
  ++index_;
  return result;
}

// Formulas (3), (8) and (9) with the coefficients of theorem 3.1, R rho = b; section 3.4 for the
// shortcuts at low orders. In float32 throughout, whose cancellation the reference shares.
at::Tensor UniPCMultistepScheduler::update(const at::Tensor& sample, std::size_t place,
                                           std::size_t order, const at::Tensor& reached) const {
  const Level to = level(place + 1);
  const Level from = level(place);
  const float h = to.lambda - from.lambda;
  const float step = config_.predict_x0 ? -h : h;
  const float phi_1 = expm1_of(step);
  const float b_of_h = config_.bh2 ? phi_1 : step;

  std::vector<float> ratios;
  std::vector<at::Tensor> differences;
  for (std::size_t i = 1; i < order; ++i) {
    ratios.push_back((level(place - i).lambda - from.lambda) / h);
    differences.push_back((outputs_[i] - outputs_[0]) / ratios.back());
  }
  ratios.push_back(1);
  if (reached.defined()) differences.push_back(reached - outputs_[0]);

  const float scale = config_.predict_x0 ? to.alpha : to.sigma;
  const float keep = config_.predict_x0 ? to.sigma / from.sigma : to.alpha / from.alpha;
  const at::Tensor result = sample * keep - outputs_[0] * (scale * phi_1);
  if (differences.empty()) return result;
  const std::vector<float> weights = coefficients(ratios, differences.size(), step, b_of_h);
  at::Tensor sum = differences[0] * weights[0];
  for (std::size_t i = 1; i < differences.size(); ++i) sum = sum + differences[i] * weights[i];
  return result - sum * (scale * b_of_h);
}

}  // namespace affiche::diffusion
