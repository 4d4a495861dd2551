// SPDX-License-Identifier: Apache-2.0
// affiche-bench load: how long a model takes to load from the page cache, what it then holds, and
// one step and one decoder pass for comparison.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "bench/commands.h"
#include "bench/process_memory.h"
#include "diffusion/pipelines/stable_diffusion.h"

namespace affiche::bench {
namespace {

struct Options {
  std::string model, dtype = "fp32";
  int threads = 1, times = 3;
  std::int64_t size = 0;
};

void measure(const Options& options) {
  at::set_num_threads(options.threads);
  const at::ScalarType dtype = options.dtype == "bf16"   ? at::kBFloat16
                               : options.dtype == "fp16" ? at::kHalf
                                                         : at::kFloat;
  std::vector<double> seconds;
  std::unique_ptr<diffusion::StableDiffusionPipeline> pipeline;
  for (int i = 0; i < options.times; ++i) {
    pipeline.reset();
    const auto start = std::chrono::steady_clock::now();
    pipeline = diffusion::StableDiffusionPipeline::from_folder(options.model, dtype, at::kCPU);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  nlohmann::ordered_json answer = {{"model", options.model},
                                   {"dtype", options.dtype},
                                   {"threads", options.threads},
                                   {"load_seconds", seconds},
                                   {"own_mib", process_memory_mib("RssAnon")},
                                   {"mapped_mib", process_memory_mib("RssFile")},
                                   {"peak_mib", process_memory_mib("VmHWM")}};
  if (options.size > 0) {
    diffusion::GenerateRequest request;
    request.prompts = {"soft teal waves"};
    request.num_inference_steps = 2;
    request.scheduler = "EulerDiscreteScheduler";
    request.height = request.width = options.size;
    const diffusion::Generation made = pipeline->generate(request);
    answer["size"] = options.size;
    answer["encode_seconds"] = made.encode_seconds;
    answer["step_seconds"] = made.step_seconds;
    answer["decode_seconds"] = made.decode_seconds;
    answer["peak_with_picture_mib"] = process_memory_mib("VmHWM");
  }
  std::printf("%s\n", answer.dump().c_str());
}

}  // namespace

void add_load_bench(CLI::App& app, Work& work) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("load", "load a model, and make one picture");
  command->add_option("--model", options->model, "folder")->required();
  command->add_option("--dtype", options->dtype)->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024));
  command->add_option("--times", options->times, "loads")->check(CLI::Range(1, 100));
  command->add_option("--size", options->size, "also a picture of this width and height, 2 steps");
  command->callback([&work, options] { work = [options] { measure(*options); }; });
}

}  // namespace affiche::bench
