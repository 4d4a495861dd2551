// SPDX-License-Identifier: Apache-2.0
// What the schedulers of distilled consistency models share: a run takes some of the few steps
// that the model was distilled on (Luo et al., arXiv 2310.04378, section 4.3).
#pragma once

#include "diffusion/schedulers/noise_schedule.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

struct ConsistencyConfig {
  NoiseScheduleConfig noise = stable_diffusion_noise("scaled_linear");
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction"
  std::int64_t original_inference_steps = 50;
};

ConsistencyConfig read_consistency(ConfigReader& reader, const nlohmann::ordered_json& json);

class ConsistencyScheduler : public Scheduler {
 public:
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 protected:
  explicit ConsistencyScheduler(const ConsistencyConfig& config);
  // `distilled`: the training steps of the distilled schedule, ascending. Usage when the run asks
  // for more than there are.
  void take_some(const std::vector<std::int64_t>& distilled, std::int64_t n);
  // Every k-th training step, as far as options.strength goes. Usage for impossible options.
  std::vector<std::int64_t> distilled_steps(const RunOptions& options) const;
  float alpha_at(std::int64_t timestep) const { return alpha_[static_cast<std::size_t>(timestep)]; }
  std::int64_t timestep(std::size_t place) const {
    return timesteps_.const_data_ptr<std::int64_t>()[place];
  }

  ConsistencyConfig schedule_;
  at::Tensor alphas_;
  std::vector<float> alpha_;
};

}  // namespace affiche::diffusion
