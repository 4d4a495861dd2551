// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/lms_discrete.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {

LMSConfig LMSConfig::from_json(const Json& json) {
  ConfigReader reader(json, "LMSDiscreteScheduler config");
  LMSConfig c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, {}, {"epsilon", "sample", "v_prediction"});
  c.noise.rescale_betas_zero_snr = false;  // not an option of this class
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void LMSDiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n);
  set_sigmas(sigma_tensor(run.levels, 0));
  begin(float_tensor(run.timesteps));
  derivatives_.clear();
}

// The integral over the step of the Lagrange polynomial that is 1 at the level of the derivative
// `which` and 0 at the levels of the others. Exact: the polynomial's antiderivative, around the
// current level.
double LMSDiscreteScheduler::coefficient(std::size_t order, std::size_t which) const {
  const double origin = sigma_[index()];
  const double here = sigma_[index() - which];
  std::vector<double> polynomial = {1};  // coefficients, constant term first
  for (std::size_t k = 0; k < order; ++k) {
    if (k == which) continue;
    const double level = sigma_[index() - k];
    const double scale = 1 / (here - level);
    const double root = level - origin;
    std::vector<double> product(polynomial.size() + 1);
    for (std::size_t i = 0; i < polynomial.size(); ++i) {
      product[i + 1] += polynomial[i] * scale;
      product[i] -= polynomial[i] * root * scale;
    }
    polynomial = std::move(product);
  }
  const double end = sigma_[index() + 1] - origin;
  double integral = 0;
  for (std::size_t i = polynomial.size(); i-- > 0;) {
    integral = (integral + polynomial[i] / static_cast<double>(i + 1)) * end;
  }
  return integral;
}

at::Tensor LMSDiscreteScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                                      const StepOptions& options) {
  if (options.order < 1) fail(Cause::Usage, class_name(), ": order: expected at least 1");
  const float sigma = sigma_[index()];
  const auto most = static_cast<std::size_t>(options.order);
  derivatives_.push_front((sample - original_at(model_output, sample, sigma)) / sigma);
  if (derivatives_.size() > most) derivatives_.pop_back();
  // A run that begins inside the schedule takes its first coefficients as if it had a history.
  const std::size_t order = std::min(index() + 1, most);
  at::Tensor sum = derivatives_[0] * coefficient(order, 0);
  for (std::size_t i = 1; i < std::min(order, derivatives_.size()); ++i) {
    sum = sum + derivatives_[i] * coefficient(order, i);
  }
  ++index_;
  return sample + sum;
}

}  // namespace affiche::diffusion
