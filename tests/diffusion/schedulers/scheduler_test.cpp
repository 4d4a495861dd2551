// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/scheduler.h"

#include <cmath>
#include <set>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/schedulers/brownian_tree.h"
#include "diffusion/schedulers/noise.h"
#include "diffusion/schedulers/sigmas.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

// Relative to the largest value of the trace.
constexpr double kTolerance = 1e-5;

std::vector<std::string> traces() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(golden("schedulers"))) {
    if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

StepOptions options_of(const Json& trace) {
  StepOptions options;
  for (const auto& [key, value] : trace["step_kwargs"].items()) {
    if (key == "eta")
      options.eta = value;
    else if (key == "use_clipped_model_output")
      options.use_clipped_model_output = value;
    else if (key == "order")
      options.order = value;
    else if (key == "s_churn")
      options.s_churn = value;
    else if (key == "s_tmin")
      options.s_tmin = value;
    else if (key == "s_tmax")
      options.s_tmax = value;
    else if (key == "s_noise")
      options.s_noise = value;
    else
      FAIL("unknown argument " << key);
  }
  if (!trace["generator_seed"].is_null()) {
    options.generators = {seeded(trace["generator_seed"].get<std::uint64_t>())};
  }
  return options;
}

RunOptions run_options_of(const Json& trace) {
  RunOptions options;
  for (const auto& [key, value] : trace["set_timesteps_kwargs"].items()) {
    if (key == "mu")
      options.mu = value.get<double>();
    else if (key == "sigmas")
      options.sigmas = value.get<std::vector<double>>();
    else if (key == "original_inference_steps")
      options.original_inference_steps = value.get<std::int64_t>();
    else if (key == "strength")
      options.strength = value;
    else
      FAIL("unknown argument " << key);
  }
  return options;
}

void follow(const std::string& name) {
  const Json trace = golden_json("schedulers/" + name + ".json");
  const StateDict expected = load_safetensors(golden("schedulers/" + name + ".safetensors"));
  const auto scheduler = make_scheduler(trace["scheduler"], trace["config"]);
  scheduler->set_timesteps(trace["num_inference_steps"], run_options_of(trace));
  double largest = 1;
  for (const auto& [key, tensor] : expected) {
    if (key == "sample" || key == "model_input" || key == "sample.initial") {
      largest = std::max(largest, tensor.abs().max().item<double>());
    }
  }
  const double close = kTolerance * largest;

  CHECK(scheduler->class_name() == trace["scheduler"].get<std::string>());
  CHECK(scheduler->order() == trace["order"].get<std::size_t>());
  const at::Tensor& timesteps = expected.at("timesteps");
  CHECK(scheduler->timesteps().scalar_type() == timesteps.scalar_type());
  CHECK(distance(scheduler->timesteps(), timesteps) <= 1e-3);
  CHECK(scheduler->sigmas().defined() == expected.contains("sigmas"));
  if (expected.contains("sigmas")) {
    const double top = expected.at("sigmas").max().item<double>();
    CHECK(distance(scheduler->sigmas(), expected.at("sigmas")) <= kTolerance * top);
  }
  CHECK(std::fabs(scheduler->init_noise_sigma() - trace["init_noise_sigma"].get<double>()) <=
        close);
  if (expected.contains("add_noise.out")) {
    const at::Tensor noisy =
        scheduler->add_noise(expected.at("add_noise.original"), expected.at("add_noise.noise"),
                             expected.at("add_noise.timesteps"));
    CHECK(distance(noisy, expected.at("add_noise.out")) <= close);
  }

  at::Tensor sample = expected.at("sample.initial");
  std::size_t start = 0;
  if (trace.contains("begin_index")) {
    start = trace["begin_index"];
    scheduler->set_begin_index(start);
    if (expected.contains("original")) {
      const at::Tensor at_start = scheduler->timesteps().slice(
          0, static_cast<std::int64_t>(start), static_cast<std::int64_t>(start) + 1);
      CHECK(distance(scheduler->add_noise(expected.at("original"), expected.at("noise"), at_start),
                     sample) <= close);
    }
  }
  const StepOptions options = options_of(trace);
  const at::Tensor& outputs = expected.at("model_output");
  for (std::int64_t i = 0; i < outputs.size(0); ++i) {
    INFO("step " << i);
    const at::Tensor input = scheduler->scale_model_input(sample);
    if (expected.contains("model_input")) {
      CHECK(distance(input[0], expected.at("model_input")[i]) <= close);
    }
    sample = scheduler->step(outputs[i].unsqueeze(0), sample, options);
    CHECK(distance(sample[0], expected.at("sample")[i]) <= close);
  }
}

}  // namespace

TEST_CASE("schedulers follow the traces of diffusers") {
  const std::vector<std::string> names = traces();
  REQUIRE(names.size() == 106);
  for (const std::string& name : names) {
    INFO(name);
    follow(name);
  }
}

TEST_CASE("schedulers answer to the names of other programs") {
  CHECK(scheduler_class("DDIM") == "DDIMScheduler");
  CHECK(scheduler_class("EulerDiscrete") == "EulerDiscreteScheduler");
  CHECK(scheduler_class("DPM++ 2M Karras") == "DPMSolverMultistepScheduler");
  CHECK(scheduler_class("dpmpp_2m_sde") == "DPMSolverMultistepScheduler");
  CHECK(scheduler_class("dpm++2m") == "DPMSolverMultistepScheduler");
  CHECK(scheduler_class("euler_a") == "EulerAncestralDiscreteScheduler");
  CHECK(scheduler_class("dpmpp_2m_k") == "DPMSolverMultistepScheduler");
  CHECK(scheduler_class("DPM++ 2M SDE Heun Karras") == "DPMSolverMultistepScheduler");
  CHECK(scheduler_class("DPM++ SDE Karras") == "DPMSolverSDEScheduler");
  CHECK(scheduler_class("dpmpp_sde_gpu") == "DPMSolverSDEScheduler");
  CHECK(scheduler_class("dpmpp_2s") == "DPMSolverSinglestepScheduler");
  CHECK(scheduler_class("DPM2 a Karras") == "KDPM2AncestralDiscreteScheduler");
  CHECK(scheduler_class("dpm_2_ancestral") == "KDPM2AncestralDiscreteScheduler");
  CHECK(scheduler_class("LMS Karras") == "LMSDiscreteScheduler");
  CHECK(scheduler_class("uni_pc_bh2") == "UniPCMultistepScheduler");
  CHECK(scheduler_class("Euler SGM Uniform") == "EulerDiscreteScheduler");
  // There is no such option in diffusers' class, so the name would promise what it does not do.
  CHECK_THROWS_AS(scheduler_class("Euler a Karras"), Error);

  const auto named = make_scheduler("DPM++ 2M Karras", Json::object());
  const auto written =
      make_scheduler("DPMSolverMultistepScheduler", Json{{"use_karras_sigmas", true}});
  named->set_timesteps(7);
  written->set_timesteps(7);
  CHECK(distance(named->sigmas(), written->sigmas()) == 0);

  try {
    make_scheduler("UniPCMultistepSheduler", Json::object());
    FAIL("built an unknown scheduler");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::Usage);
    CHECK(std::string(error.what()).find("UniPCMultistepScheduler") != std::string::npos);
  }
}

TEST_CASE("scheduler options of other classes pass, unknown ones do not") {
  CHECK_NOTHROW(make_scheduler("Euler", Json{{"skip_prk_steps", true}, {"clip_sample", false}}));
  CHECK_THROWS_AS(make_scheduler("Euler", Json{{"timestep_spacin", "leading"}}), Error);
  CHECK_THROWS_AS(make_scheduler("DDIM", Json{{"beta_schedule", "sigmoid"}}), Error);
  CHECK_THROWS_AS(make_scheduler("DDIM", Json{{"num_train_timesteps", 1e9}}), Error);
  CHECK_THROWS_AS(
      make_scheduler("Euler", Json{{"use_karras_sigmas", true}, {"use_beta_sigmas", true}}), Error);
}

TEST_CASE("every scheduler runs with the config of Stable Diffusion 1.x, from start to end") {
  const Json config = golden_json("models/sd15/scheduler/scheduler_config.json");
  for (const std::string& name : scheduler_classes()) {
    INFO(name);
    const auto scheduler = make_scheduler(name, config);
    scheduler->set_timesteps(6);
    StepOptions options;
    options.generators = {seeded(3)};
    at::Tensor sample = randn({1, 4, 4, 4}, options.generators, at::kFloat, at::kCPU) *
                        scheduler->init_noise_sigma();
    for (std::int64_t i = 0; i < scheduler->timesteps().numel(); ++i) {
      const at::Tensor input = scheduler->scale_model_input(sample);
      sample = scheduler->step(input * 0.5, sample, options);
    }
    CHECK(at::isfinite(sample).all().item<bool>());
    CHECK_THROWS_AS(scheduler->step(sample, sample, options), Error);
  }
}

TEST_CASE("options that lead nowhere are refused by name") {
  const auto refused = [](const char* name, const Json& config, const std::string& key) {
    try {
      make_scheduler(name, config);
    } catch (const Error& error) {
      return std::string(error.what()).find('"' + key + '"') != std::string::npos;
    }
    return false;
  };
  CHECK(refused("UniPC", Json{{"lower_order_final", false}}, "lower_order_final"));
  CHECK(refused("UniPC", Json{{"predict_x0", false}}, "predict_x0"));
  CHECK(refused("UniPC", Json{{"shift_terminal", 0.1}}, "shift_terminal"));
  CHECK(refused("DEIS", Json{{"solver_order", 4}}, "solver_order"));
  CHECK(refused("DEIS", Json{{"algorithm_type", "sde-dpmsolver++"}}, "algorithm_type"));
  CHECK(refused("DDPM", Json{{"variance_type", "fixed_large_log"}}, "variance_type"));
  CHECK(refused("KDPM2Discrete", Json{{"prediction_type", "sample"}}, "prediction_type"));
  CHECK(refused("EDMEuler", Json{{"sigma_schedule", "beta"}}, "sigma_schedule"));
  CHECK(refused("LCM", Json{{"original_inference_steps", 1001}}, "original_inference_steps"));

  const auto shifting = make_scheduler("FlowMatchEulerDiscrete", {{"use_dynamic_shifting", true}});
  CHECK_THROWS_AS(shifting->set_timesteps(4), Error);
  const auto distilled = make_scheduler("LCM", Json::object());
  CHECK_THROWS_AS(distilled->set_timesteps(51), Error);
}

TEST_CASE("a run ends after its last step") {
  const auto scheduler = make_scheduler("DDIM", Json::object());
  CHECK_THROWS_AS(scheduler->set_timesteps(0), Error);
  CHECK_THROWS_AS(scheduler->set_timesteps(1001), Error);
  scheduler->set_timesteps(1);
  const at::Tensor sample = at::zeros({1, 4, 2, 2});
  scheduler->step(sample, sample);
  CHECK_THROWS_AS(scheduler->step(sample, sample), Error);
}

TEST_CASE("the quantiles of the beta distribution are exact") {
  CHECK(beta_quantile(0, 0.6, 0.6) == 0);
  CHECK(beta_quantile(1, 0.6, 0.6) == 1);
  CHECK(std::fabs(beta_quantile(0.5, 0.6, 0.6) - 0.5) < 1e-14);
  // The arcsine and the uniform distribution have closed forms.
  const double sine = std::sin(0.3 * 3.14159265358979323846 / 2);
  CHECK(std::fabs(beta_quantile(0.3, 0.5, 0.5) - sine * sine) < 1e-13);
  CHECK(std::fabs(beta_quantile(0.9, 1, 1) - 0.9) < 1e-14);
}

TEST_CASE("seed words are those of numpy's SeedSequence") {
  const auto words = [](std::uint64_t entropy, std::vector<std::uint64_t> key) {
    return seed_words(entropy, key, 4);
  };
  using Words = std::vector<std::uint32_t>;
  CHECK(words(5, {}) == Words{3154616629, 1086096781, 1700057493, 3338405053});
  CHECK(words(5, {0, 0}) == Words{2064821470, 1826486279, 462128158, 875869577});
  CHECK(words(1099511627783, {3, 2}) == Words{500983476, 713085380, 2292743367, 1579387075});
}

TEST_CASE("a Brownian path does not depend on how it is asked for") {
  BrownianTree one({1, 4, 8, 8}, at::kFloat, 0.03, 14.6, 7);
  BrownianTree two({1, 4, 8, 8}, at::kFloat, 0.03, 14.6, 7);
  const at::Tensor whole = one.change(1.5, 9.25);
  two.change(8, 9.25);
  CHECK(distance(two.change(1.5, 3) + two.change(3, 9.25), whole) < 1e-5);
  CHECK(std::fabs(whole.var().item<double>() - 7.75) < 2);
  CHECK(one.change(2, 2).abs().max().item<double>() == 0);
}

TEST_CASE("without a seed of its own, DPM++ SDE draws each image from its generator") {
  const auto run = [](const std::vector<at::Generator>& generators, const at::Tensor& start) {
    const auto scheduler = make_scheduler("DPM++ SDE Karras", Json::object());
    scheduler->set_timesteps(4);
    StepOptions options;
    options.generators = generators;
    at::Tensor sample = start;
    for (int i = 0; i < 3; ++i) sample = scheduler->step(sample * 0.1, sample, options);
    return sample;
  };
  const at::Tensor start = randn({2, 4, 4, 4}, {{seeded(1)}}, at::kFloat, at::kCPU);
  const at::Tensor both = run({seeded(5), seeded(6)}, start);
  CHECK(distance(run({seeded(6)}, start.slice(0, 1)), both.slice(0, 1)) < 1e-6);
}

TEST_CASE("several generators draw one image each") {
  const std::vector<at::Generator> two = {seeded(1), seeded(2)};
  const at::Tensor both = randn({2, 4, 8, 8}, two, at::kFloat, at::kCPU);
  CHECK(distance(both[1], randn({1, 4, 8, 8}, {{seeded(2)}}, at::kFloat, at::kCPU)[0]) == 0);
  CHECK_THROWS_AS(randn({3, 4, 8, 8}, two, at::kFloat, at::kCPU), Error);
}
