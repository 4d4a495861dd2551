// SPDX-License-Identifier: Apache-2.0
// affiche-bench memory: whether memory stays flat over many pictures.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>

#include "bench/commands.h"
#include "bench/process_memory.h"
#include "diffusion/pipelines/stable_diffusion.h"

namespace affiche::bench {
namespace {

struct Options {
  std::string model = AFFICHE_SOURCE_DIR "/tests/data/goldens/models/sd15";
  int count = 1000, threads = 1;
  std::int64_t size = 64;
};

void measure(const Options& options) {
  at::set_num_threads(options.threads);
  const auto pipeline =
      diffusion::StableDiffusionPipeline::from_folder(options.model, at::kFloat, at::kCPU);
  diffusion::GenerateRequest request;
  request.prompts = {"soft teal waves"};
  request.num_inference_steps = 2;
  request.height = request.width = options.size;
  nlohmann::ordered_json after = nlohmann::ordered_json::object();
  for (int i = 1; i <= options.count; ++i) {
    request.seeds = {i};
    static_cast<void>(pipeline->generate(request));
    if (i % std::max(1, options.count / 10) == 0) {
      after[std::to_string(i)] = process_memory_mib("RssAnon");
    }
  }
  const nlohmann::ordered_json answer = {{"generations", options.count},
                                         {"own_mib_after", after},
                                         {"peak_mib", process_memory_mib("VmHWM")}};
  std::printf("%s\n", answer.dump().c_str());
}

}  // namespace

void add_memory_bench(CLI::App& app, Work& work) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("memory", "make many pictures and watch the memory");
  command->add_option("--model", options->model, "folder");
  command->add_option("--count", options->count)->check(CLI::Range(1, 1000000));
  command->add_option("--size", options->size)->check(CLI::Range(8, 4096));
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024));
  command->callback([&work, options] { work = [options] { measure(*options); }; });
}

}  // namespace affiche::bench
