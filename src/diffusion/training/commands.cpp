// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/commands.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "diffusion/training/architecture.h"
#include "diffusion/training/vae_trainer.h"

namespace affiche::diffusion {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

// A training step frees and takes hundreds of megabytes; given back to the kernel each time, they
// come again as page faults that cost as much as the arithmetic.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

// The first Ctrl-C or SIGTERM ends the run after the present step, with a checkpoint.
LoopHooks hooks() {
  keep_memory();
  std::signal(SIGINT, [](int) { stop_asked = 1; });
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  LoopHooks hooks;
  hooks.report = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  hooks.stopped = [] { return stop_asked != 0; };
  return hooks;
}

void add_loop_options(CLI::App& command, LoopOptions& loop) {
  command.add_option("--work", loop.folder, "folder of checkpoint, log and sample sheets")
      ->required();
  command.add_option("--steps", loop.steps, "last step, counted over all resumptions");
  command.add_option("--rate", loop.learning_rate, "learning rate");
  command.add_option("--warm-up", loop.warm_up, "steps of rising rate");
  command.add_option("--decay", loop.decay, "last steps, of falling rate");
  command.add_option("--seed", loop.seed, "seed of every random choice");
  command.add_option("--save-every", loop.save_every, "steps between checkpoints");
  command.add_option("--sheet-every", loop.sheet_every, "steps between sample sheets; 0: none");
  command.add_option("--log-every", loop.log_every, "steps between log lines");
}

void add_threads(CLI::App& command) {
  command.add_option_function<int>(
      "--threads", [](int count) { at::set_num_threads(count); }, "CPU threads");
}

using Choose = std::function<void(std::function<int()>)>;

void add_init(CLI::App& base, const Choose& choose) {
  auto folder = std::make_shared<std::filesystem::path>();
  CLI::App* command =
      base.add_subcommand("init", "write tokenizer and configuration of a new model");
  command->add_option("--model", *folder, "diffusers folder to write")->required();
  command->callback([=] {
    choose([=] {
      write_architecture(*folder);
      return 0;
    });
  });
}

void add_vae(CLI::App& base, const Choose& choose) {
  auto training = std::make_shared<VaeTraining>();
  CLI::App* command = base.add_subcommand("vae", "train the autoencoder on drawn pictures");
  command->add_option("--model", training->model, "diffusers folder")->required();
  command->add_option("--batch", training->batch, "pictures a step");
  command->add_option("--picture", training->picture, "pixels of a drawn picture");
  command->add_option("--crop", training->crop, "pixels of the window trained on; a multiple of 8");
  command->add_option("--kl", training->kl_weight, "weight of the divergence");
  command->add_flag("--decoder-only", training->decoder_only, "keep the encoder and all latents");
  command->add_flag_callback(
      "--fp32", [=] { training->type = at::kFloat; }, "compute in fp32");
  add_loop_options(*command, training->loop);
  add_threads(*command);
  command->footer("Example: affiche train base vae --model out/mini --work out/vae --steps 4000");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      train_vae(*training, hooks());
      return 0;
    });
  });
}

}  // namespace

void add_training_commands(CLI::App& train, const Choose& choose, const PictureReader& read) {
  (void)read;
  CLI::App* base = train.add_subcommand("base", "train a base model on drawn brand art");
  base->require_subcommand(1);
  add_init(*base, choose);
  add_vae(*base, choose);
}

}  // namespace affiche::diffusion
