// SPDX-License-Identifier: Apache-2.0
// affiche-bench lora: how long a UNet of Stable Diffusion 1.5 takes to change its adapter.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/error.h"
#include "bench/commands.h"
#include "bench/full_size_model.h"
#include "bench/random_lora.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/nn/unet_2d_condition.h"

namespace affiche::bench {
namespace {

struct Options {
  std::string dtype = "fp32";
  std::int64_t rank = 16;
  int swaps = 20;
  int threads = 1;
};

double milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// All threads together; unlike the clock it does not count what other programs take.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What a swap cannot be quicker than: one copy of the weights that it changes, to memory that is
// there already.
double copy_milliseconds(const std::vector<at::Tensor>& weights) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& weight : weights) copies.push_back(weight.clone());
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    times.push_back(milliseconds([&] {
      for (std::size_t k = 0; k < weights.size(); ++k) copies[k].copy_(weights[k]);
    }));
  }
  return median(times);
}

void measure(const Options& options) {
  at::set_num_threads(options.threads);
  const at::ScalarType dtype = options.dtype == "bf16" ? at::kBFloat16 : at::kFloat;
  diffusion::UNet2DConditionModel unet(
      diffusion::UNet2DConditionConfig::from_json(sd15_configs().parts.at("unet")));
  fill_random(unet.parameters(), dtype, 1);
  const diffusion::StateDict base = unet.parameters().state_dict();
  diffusion::AdapterStack stack({{"unet", {"lora_unet"}, &unet.parameters()}});
  const auto first = random_lora(unet.parameters(), options.rank, 2);
  const auto second = random_lora(unet.parameters(), options.rank, 3);

  std::vector<diffusion::LoraReport> reports;
  const double first_wear = milliseconds([&] { reports = stack.apply({{first, 1.0}}); });
  std::vector<double> swaps;
  const double cpu_before = cpu_milliseconds();
  for (int i = 0; i < options.swaps; ++i) {
    swaps.push_back(milliseconds([&] { stack.apply({{i % 2 == 0 ? second : first, 1.0}}); }));
  }
  const double swap_cpu = (cpu_milliseconds() - cpu_before) / options.swaps;
  const double take_off = milliseconds([&] { stack.remove(); });
  const double again = milliseconds([&] { stack.apply({{first, 1.0}}); });
  stack.remove();

  std::vector<at::Tensor> touched;
  double bytes = 0;
  for (const diffusion::LoraReport::Match& match : reports.front().matched) {
    touched.push_back(base.at(match.slot.substr(match.slot.find('.') + 1)));
    bytes += static_cast<double>(touched.back().nbytes());
  }
  bool same = true;
  for (const auto& [name, tensor] : unet.parameters().state_dict()) {
    same = same && tensor.is_same(base.at(name));
  }
  const double copy = copy_milliseconds(touched);
  const nlohmann::ordered_json answer = {{"dtype", options.dtype},
                                         {"rank", options.rank},
                                         {"threads", options.threads},
                                         {"weights_changed", touched.size()},
                                         {"megabytes_changed", bytes / 1e6},
                                         {"first_ms", first_wear},
                                         {"swap_ms", median(swaps)},
                                         {"quickest_swap_ms", *std::ranges::min_element(swaps)},
                                         {"swap_cpu_ms", swap_cpu},
                                         {"take_off_ms", take_off},
                                         {"again_ms", again},
                                         {"copy_ms", copy},
                                         {"swap_per_copy", median(swaps) / copy},
                                         {"base_restored", same}};
  std::printf("%s\n", answer.dump().c_str());
}

}  // namespace

void add_lora_bench(CLI::App& app, Work& work) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("lora", "swap adapters on a UNet of SD 1.5");
  command->add_option("--dtype", options->dtype)->check(CLI::IsMember({"fp32", "bf16"}));
  command->add_option("--rank", options->rank)->check(CLI::Range(1, 1024));
  command->add_option("--swaps", options->swaps)->check(CLI::Range(1, 100000));
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024));
  command->callback([&work, options] { work = [options] { measure(*options); }; });
}

}  // namespace affiche::bench
