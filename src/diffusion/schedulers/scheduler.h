// SPDX-License-Identifier: Apache-2.0
// Schedulers under the names and with the meaning of diffusers' classes: which noise levels a run
// goes through, and how a prediction leads from one to the next.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace affiche::diffusion {

// What some schedulers' runs take beside the number of steps; the others ignore it.
struct RunOptions {
  // Flow matching with use_dynamic_shifting: the shift that belongs to the picture's size.
  std::optional<double> mu;
  // Flow matching: noise levels, one per step, in place of evenly spaced ones.
  std::vector<double> sigmas;
  // LCM, TCD: steps of the distilled schedule, of which the run takes some; default: the config's.
  std::optional<std::int64_t> original_inference_steps;
  double strength = 1;  // LCM, TCD: the part of that schedule that is used, above 0 to 1
};

// What some schedulers' steps take beside the prediction; the others ignore it, as in diffusers.
struct StepOptions {
  double eta = 0;                         // DDIM: 0 deterministic to 1 as DDPM; TCD: gamma, 0 to 1
  bool use_clipped_model_output = false;  // DDIM
  double s_churn = 0;                     // Euler: noise that is added back, from s_tmin to s_tmax
  double s_tmin = 0;
  double s_tmax = std::numeric_limits<double>::infinity();
  double s_noise = 1;
  std::int64_t order = 4;  // LMS: derivatives that it combines
  // On the CPU: one per image, or one for the whole batch. Only schedulers that draw need them.
  std::vector<at::Generator> generators;
};

// State of one run: one object per request, not thread-safe.
//   set_timesteps(n); for each i: step(model(scale_model_input(x), timesteps()[i]), x)
// Samples and predictions are B x C x H x W on any device; the arithmetic follows diffusers' dtypes
// and order of operations.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual const char* class_name() const = 0;

  // Starts a run of n steps (1 to num_train_timesteps; Usage otherwise).
  void set_timesteps(std::int64_t n, const RunOptions& options = {}) { plan(n, options); }
  // How often a step asks the model: image-to-image leaves out multiples of it.
  virtual std::size_t order() const { return 1; }
  // In the order of the run, on the CPU: int64, or floats for schedulers that go between the steps
  // of training. May be longer than n (PNDM, and schedulers of order 2).
  const at::Tensor& timesteps() const { return timesteps_; }
  // Noise levels, at least one more than time steps, float32 on the CPU; undefined for schedulers
  // that count in training steps (DDIM, DDPM, PNDM, LCM, TCD).
  virtual at::Tensor sigmas() const { return {}; }
  // What unit noise is multiplied with before the first step.
  virtual double init_noise_sigma() const { return 1.0; }
  // What the model sees of the sample at the current step.
  virtual at::Tensor scale_model_input(const at::Tensor& sample) const { return sample; }
  // From the current step to the next. Usage after the last one.
  virtual at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                          const StepOptions& options = {}) = 0;
  // original + noise at the level of each image's time step (B, out of timesteps()); diffusers'
  // scale_noise where it has that instead. Once set_begin_index() was called, schedulers with noise
  // levels take the current step's for all, as in diffusers.
  virtual at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                               const at::Tensor& timesteps) const = 0;
  // The run begins inside the schedule, as image-to-image does: before the first step.
  virtual void set_begin_index(std::size_t index);

 protected:
  virtual void plan(std::int64_t n, const RunOptions& options) = 0;
  void begin(at::Tensor timesteps);
  // The current step's place in timesteps(); Usage when the run is over.
  std::size_t index() const;
  std::size_t step_count() const { return static_cast<std::size_t>(timesteps_.numel()); }
  // Place in timesteps() of an image's time step; of a repeated one the second, as in diffusers.
  std::size_t index_of(double timestep) const;
  // Places in the noise levels for add_noise().
  std::vector<std::size_t> places_of(const at::Tensor& timesteps) const;

  at::Tensor timesteps_;
  std::size_t index_ = 0;
  bool begin_set_ = false;
};

// `name`: a class of diffusers ("DDIMScheduler", also without "Scheduler") or a name from other
// programs ("DPM++ 2M Karras", "dpmpp_2m", "euler_a"), which may override options. `config`: a
// scheduler_config.json, also of another class: what this class does not know is passed over when
// another class of diffusers knows it. Usage for unknown names, BadInput for the config.
std::unique_ptr<Scheduler> make_scheduler(const std::string& name,
                                          const nlohmann::ordered_json& config);
// The options that a name stands for beside its class: use_karras_sigmas in "DPM++ 2M Karras".
nlohmann::ordered_json scheduler_options(const std::string& name);
// The diffusers class behind a name, without building it.
std::string scheduler_class(const std::string& name);
// All classes, in the order of the alphabet.
std::vector<std::string> scheduler_classes();

}  // namespace affiche::diffusion
