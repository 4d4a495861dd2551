// SPDX-License-Identifier: Apache-2.0
// affiche-bench train-step: what one step of a LoRA costs; bench/train/peft_step.py takes the same
// one with diffusers and peft.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "bench/commands.h"
#include "bench/process_memory.h"
#include "diffusion/nn/checkpointing.h"
#include "diffusion/nn/low_rank_branch.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/loop_command.h"
#include "diffusion/training/lora_factors.h"
#include "diffusion/training/objective.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::bench {
namespace {

using namespace affiche::diffusion;

struct Options {
  std::filesystem::path model;
  std::string dtype = "bf16", optimizer = "adamw";
  std::int64_t size = 512, batch = 1, rank = 16;
  int steps = 3, threads = 1;
  bool checkpointing = false, convolutions = false;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// One UNet with its factors, and what it learns from.
class Steps {
 public:
  explicit Steps(const Options& options)
      : options_(options),
        type_(options.dtype == "bf16" ? at::kBFloat16 : at::kFloat),
        unet_(UNet2DConditionConfig::from_json(json("unet/config.json"))),
        schedule_(NoiseSchedule::of_scheduler(json("scheduler/scheduler_config.json"))),
        trainable_(adam(options)) {
    unet_.parameters().load(
        load_safetensors(options.model / "unet/diffusion_pytorch_model.safetensors"), type_,
        at::kCPU);
    lay_channels_last(unet_.parameters());
    LoraShape shape;
    shape.rank = options.rank;
    shape.alpha = static_cast<double>(options.rank);
    shape.convolutions = options.convolutions;
    const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &unet_.parameters()}};
    factors_ = std::make_unique<LoraFactors>(networks, trainable_, shape, step_generator(1, -1));
    const at::Generator generator = step_generator(1, -2);
    latents_ = at::randn({options.batch, 4, options.size / 8, options.size / 8}, generator);
    text_ = at::randn({options.batch, 77, unet_.config().cross_attention_dim.front()}, generator)
                .to(type_);
  }
  void operator()(std::int64_t step) {
    const at::Generator generator = step_generator(1, step);
    const at::Tensor noise = at::randn(latents_.sizes(), generator);
    const at::Tensor timesteps = at::randint(0, 1000, {options_.batch}, generator, at::kLong);
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return unet_.forward(x.to(type_), t, text_);
    };
    at::Tensor loss;
    {
      const ShownBranches shown(factors_->masters(type_));
      const Checkpointing checkpointing(options_.checkpointing);
      loss = denoising_loss(schedule_, predict, latents_, noise, timesteps, {});
    }
    // The graph is whole now: own memory is at or near its peak.
    own_mib_ = std::max(own_mib_, process_memory_mib("RssAnon"));
    loss.backward();
    trainable_.update(1e-4);
  }
  double own_mib() const { return own_mib_; }
  std::int64_t factors() const {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < trainable_.size(); ++i) count += trainable_.master(i).numel();
    return count;
  }

 private:
  static AdamOptions adam(const Options& options) {
    AdamOptions adam;
    for (const auto state : {OptimizerState::Factored, OptimizerState::EightBit})
      if (options.optimizer == name(state)) adam.state = state;
    return adam;
  }
  Json json(const std::string& file) const {
    return parse_json(read_text(options_.model / file), file);
  }

  const Options& options_;
  at::ScalarType type_;
  UNet2DConditionModel unet_;
  NoiseSchedule schedule_;
  Trainable trainable_;
  std::unique_ptr<LoraFactors> factors_;
  at::Tensor latents_, text_;
  double own_mib_ = 0;
};

void measure(const Options& options) {
  at::set_num_threads(options.threads);
  keep_memory();
  Steps take(options);
  const double loaded = process_memory_mib("VmHWM");
  std::vector<double> seconds, cpu;
  for (int step = 0; step <= options.steps; ++step) {  // the first one warms up
    const double start = now(CLOCK_MONOTONIC), cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);
    take(step);
    if (step == 0) continue;
    seconds.push_back(now(CLOCK_MONOTONIC) - start);
    cpu.push_back(now(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
  }
  const Json answer = {{"dtype", options.dtype},
                       {"size", options.size},
                       {"batch", options.batch},
                       {"rank", options.rank},
                       {"threads", options.threads},
                       {"checkpointing", options.checkpointing},
                       {"convolutions", options.convolutions},
                       {"optimizer", options.optimizer},
                       {"factors", take.factors()},
                       {"seconds_per_step", median(seconds)},
                       {"cpu_seconds_per_step", median(cpu)},
                       {"loaded_mib", loaded},
                       {"own_mib", take.own_mib()},
                       {"peak_mib", process_memory_mib("VmHWM")}};
  std::printf("%s\n", answer.dump().c_str());
}

}  // namespace

void add_train_step_bench(CLI::App& app, Work& work) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("train-step", "steps of a LoRA on a UNet");
  command->add_option("--model", options->model, "diffusers folder")->required();
  command->add_option("--dtype", options->dtype)->check(CLI::IsMember({"fp32", "bf16"}));
  command->add_option("--optimizer", options->optimizer)
      ->check(CLI::IsMember({"adamw", "adamw8bit", "factored"}));
  command->add_option("--size", options->size)->check(CLI::Range(64, 4096));
  command->add_option("--batch", options->batch)->check(CLI::Range(1, 64));
  command->add_option("--rank", options->rank)->check(CLI::Range(1, 1024));
  command->add_option("--steps", options->steps)->check(CLI::Range(1, 100000));
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024));
  command->add_flag("--checkpointing", options->checkpointing);
  command->add_flag("--convolutions", options->convolutions);
  command->callback([&work, options] { work = [options] { measure(*options); }; });
}

}  // namespace affiche::bench
