// SPDX-License-Identifier: Apache-2.0
// affiche-bench: models of full size with random weights, and what they cost in time and memory.
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "bench/commands.h"
#include "bench/full_size_model.h"
#include "diffusion/weights/huge_pages.h"

namespace {

struct ModelOptions {
  std::string family = "sd15", dtype = "fp16", out;
  std::uint64_t seed = 1;
};

void add_model(CLI::App& app, affiche::bench::Work& work) {
  const auto options = std::make_shared<ModelOptions>();
  CLI::App* command = app.add_subcommand("model", "write a full-size model with random weights");
  command->add_option("family", options->family)->check(CLI::IsMember({"sd15", "sdxl"}));
  command->add_option("--dtype", options->dtype)->check(CLI::IsMember({"fp16", "bf16", "fp32"}));
  command->add_option("--seed", options->seed);
  command->add_option("--out", options->out, "folder to write")->required();
  command->callback([&work, options] {
    work = [options] {
      const at::ScalarType dtype = options->dtype == "fp16"   ? at::kHalf
                                   : options->dtype == "bf16" ? at::kBFloat16
                                                              : at::kFloat;
      affiche::bench::write_full_size_model(options->family == "sd15"
                                                ? affiche::bench::sd15_configs()
                                                : affiche::bench::sdxl_configs(),
                                            dtype, options->seed, options->out);
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  affiche::diffusion::use_huge_pages();
  CLI::App app("Measures the diffusion engine (docs/performance.md)", "affiche-bench");
  app.require_subcommand(1);
  affiche::bench::Work work;
  add_model(app, work);
  affiche::bench::add_lora_bench(app, work);
  affiche::bench::add_load_bench(app, work);
  affiche::bench::add_memory_bench(app, work);
  affiche::bench::add_train_step_bench(app, work);
  CLI11_PARSE(app, argc, argv);
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "affiche-bench: %s\n", error.what());
    return 1;
  }
}
