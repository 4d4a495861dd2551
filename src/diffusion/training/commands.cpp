// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/commands.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "diffusion/training/architecture.h"
#include "diffusion/training/base_trainer.h"
#include "diffusion/training/draw_data.h"
#include "diffusion/training/latents.h"
#include "diffusion/training/lora_trainer.h"
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
  command->footer("Example: affiche train base init --model out/mini");
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
  command->add_option("--latent-noise", training->latent_noise,
                      "most deviation of noise that the decoder learns to mend");
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

struct Encoding {
  std::filesystem::path model, file;
  int width = 256, height = 256;
  std::int64_t count = 4096;
  std::uint64_t first = 1;
};

void add_encode(CLI::App& base, const Choose& choose) {
  auto encoding = std::make_shared<Encoding>();
  CLI::App* command =
      base.add_subcommand("encode", "draw pictures and keep their latents in a file");
  command->add_option("--model", encoding->model, "diffusers folder with a trained vae")
      ->required();
  command->add_option("--out", encoding->file, "file to write")->required();
  command->add_option("--width", encoding->width, "pixels");
  command->add_option("--height", encoding->height, "pixels");
  command->add_option("--count", encoding->count, "pictures");
  command->add_option("--first", encoding->first, "seed of the first scene");
  add_threads(*command);
  command->footer(
      "Example: affiche train base encode --model out/mini --out out/a.safetensors --count 4096");
  command->callback([=] {
    choose([=] {
      keep_memory();
      const auto vae = load_vae(encoding->model, at::kFloat);
      save_latents(encoding->file,
                   encode_scenes(*vae, encoding->first, encoding->count, encoding->width,
                                 encoding->height, [](std::int64_t done) {
                                   if (done % 512 == 0)
                                     std::printf("%lld encoded\n", static_cast<long long>(done));
                                   std::fflush(stdout);
                                 }));
      return 0;
    });
  });
}

void add_unet(CLI::App& base, const Choose& choose) {
  auto training = std::make_shared<BaseTraining>();
  CLI::App* command =
      base.add_subcommand("unet", "train UNet and text encoder on encoded drawings");
  command->add_option("--model", training->model, "diffusers folder")->required();
  command->add_option("--latents", training->latents, "files made by encode")->required();
  command->add_option("--batch", training->batch, "pictures a step");
  command->add_option("--drop-captions", training->drop_captions, "share of empty captions");
  command->add_option("--min-snr", training->min_snr,
                      "limit of the weight of steps with little noise; 0: all weigh alike");
  command->add_option("--average", training->average_decay, "decay of the running average");
  command->add_flag_callback(
      "--fp32", [=] { training->type = at::kFloat; }, "compute in fp32");
  add_loop_options(*command, training->loop);
  add_threads(*command);
  command->footer(
      "Example: affiche train base unet --model out/mini --latents out/a.safetensors "
      "--work out/unet");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      train_base(*training, hooks());
      return 0;
    });
  });
}

void add_export(CLI::App& base, const Choose& choose) {
  auto paths = std::make_shared<std::pair<std::filesystem::path, std::filesystem::path>>();
  CLI::App* command =
      base.add_subcommand("export", "write a checkpoint's averages into the model folder");
  command->add_option("--checkpoint", paths->first, "checkpoint.safetensors of train base unet")
      ->required();
  command->add_option("--model", paths->second, "diffusers folder")->required();
  command->footer(
      "Example: affiche train base export --checkpoint out/unet/checkpoint.safetensors "
      "--model out/mini");
  command->callback([=] {
    choose([=] {
      export_base(paths->first, paths->second);
      return 0;
    });
  });
}

// "attention,feed-forward": what of the model is adapted.
void read_targets(const std::vector<std::string>& names, LoraShape& shape) {
  if (names.empty()) return;
  shape.attention = shape.feed_forward = shape.convolutions = shape.text_encoders = false;
  for (const std::string& name : names) {
    if (name == "attention")
      shape.attention = true;
    else if (name == "feed-forward")
      shape.feed_forward = true;
    else if (name == "convolutions")
      shape.convolutions = true;
    else if (name == "text-encoders")
      shape.text_encoders = true;
    else
      fail(Cause::Usage,
           "--targets: expected attention, feed-forward, convolutions or "
           "text-encoders, found \"",
           name, "\"");
  }
  if (shape.text_encoders && !shape.attention && !shape.feed_forward)
    shape.attention = shape.feed_forward = true;
}

struct LoraOptions {
  LoraTraining training;
  std::vector<std::string> targets;
  double alpha = 0;  // 0: the rank
  bool convolutions = false, text_encoders = false;
  std::string schedule = "linear", optimizer = "adamw", layout = "peft", brand, device = "cpu";
};

void add_lora_learning(CLI::App& command, LoraOptions& options) {
  LoraTraining& training = options.training;
  command.add_option("--rank", training.shape.rank, "rank of the factors");
  command.add_option("--alpha", options.alpha,
                     "what is learned counts alpha / rank; default: rank");
  command
      .add_option("--targets", options.targets,
                  "attention, feed-forward, convolutions, text-encoders")
      ->delimiter(',');
  command.add_flag("--convolutions", options.convolutions,
                   "adapt the convolutions too, for a look that lies in shapes and edges");
  command.add_flag("--text-encoders", options.text_encoders, "adapt the text encoders too");
  command.add_option("--batch", training.batch, "pictures a batch");
  command.add_option("--accumulate", training.loop.accumulate, "batches a step");
  command.add_option("--min-snr", training.min_snr,
                     "limit of the weight of steps with little noise, 5 is usual; 0: none");
  command.add_option(
      "--noise-offset", training.noise_offset,
      "noise that a whole picture shares, 0.05 is usual; for dark and light grounds");
  command.add_option("--drop-captions", training.drop_captions, "share of empty captions");
  command
      .add_option("--schedule", options.schedule,
                  "of the rate: constant, linear (over --decay), cosine")
      ->check(CLI::IsMember({"constant", "linear", "cosine"}));
  command
      .add_option("--optimizer", options.optimizer,
                  "adamw, or factored: little memory for its state")
      ->check(CLI::IsMember({"adamw", "factored"}));
  command.add_option("--held-out", training.held_out, "share of the pictures for validation")
      ->check(CLI::Range(0.0, 0.5));
  command.add_option("--validate-every", training.loop.validate_every, "steps between validations");
  command.add_option("--patience", training.loop.patience,
                     "end after so many validations without a better one; 0: never");
}

void add_lora(CLI::App& train, const Choose& choose, const PictureFiles& files) {
  auto options = std::make_shared<LoraOptions>();
  LoraTraining& training = options->training;
  training.loop.steps = 400;
  training.loop.warm_up = 20;
  CLI::App* command =
      train.add_subcommand("lora", "adapt a model to a folder of captioned pictures");
  command->add_option("--model", training.model, "diffusers folder or single file")->required();
  command->add_option("--data", training.data, "5 to 100 pictures, each with a .txt caption")
      ->required();
  command->add_option("--out", training.out, "safetensors file to write")->required();
  command->add_option("--caption", training.caption, "of pictures without a .txt");
  command->add_option(
      "--brand", options->brand,
      "brand file whose background prompt is the caption of pictures without a .txt");
  command->add_option("--width", training.pictures.width, "pixels; a multiple of 8");
  command->add_option("--height", training.pictures.height, "pixels; a multiple of 8");
  command->add_flag("--buckets", training.pictures.buckets,
                    "keep the pictures' shapes: width times height is the area");
  command->add_flag("--flips", training.pictures.flips, "mirror half of the pictures");
  add_lora_learning(*command, *options);
  command->add_option("--prompt", training.prompts, "of sample sheets; default: captions");
  command->add_option("--sample-steps", training.sample_steps, "of sample pictures");
  command->add_option("--sample-guidance", training.sample_guidance, "of sample pictures");
  command->add_option("--layout", options->layout, "of the file: peft or kohya")
      ->check(CLI::IsMember({"peft", "kohya"}));
  command->add_option("--device", options->device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command->add_flag_callback(
      "--fp32", [=] { options->training.type = at::kFloat; }, "compute in fp32");
  add_loop_options(*command, training.loop);
  add_threads(*command);
  command->footer(
      "Example: affiche train lora --model assets/models/affiche-mini --data out/brand "
      "--out brand.safetensors --work out/lora");
  command->callback([=] {
    choose([=] {
      LoraTraining chosen = options->training;
      read_targets(options->targets, chosen.shape);
      chosen.shape.convolutions |= options->convolutions;
      chosen.shape.text_encoders |= options->text_encoders;
      chosen.shape.alpha =
          options->alpha > 0 ? options->alpha : static_cast<double>(chosen.shape.rank);
      if (!options->brand.empty() && chosen.caption.empty() && files.brand_prompt)
        chosen.caption = files.brand_prompt(options->brand);
      chosen.loop.cosine = options->schedule == "cosine";
      if (options->schedule == "constant") chosen.loop.decay = 0;
      chosen.factored = options->optimizer == "factored";
      chosen.layout = options->layout == "kohya" ? LoraLayout::Kohya : LoraLayout::Peft;
      chosen.device = options->device == "cuda" ? at::kCUDA : at::kCPU;
      chosen.loop.images_per_step = chosen.batch * chosen.loop.accumulate;
      if (chosen.held_out > 0 && chosen.loop.validate_every == 0) chosen.loop.validate_every = 50;
      const LoraResult result = train_lora(chosen, files, hooks());
      std::printf("%s: feature distance to the pictures %.3f, before %.3f; see %s\n",
                  chosen.out.c_str(), result.distance_after, result.distance_before,
                  result.sheet.c_str());
      return 0;
    });
  });
}

}  // namespace

void add_training_commands(CLI::App& train, const Choose& choose, const PictureFiles& files) {
  CLI::App* base = train.add_subcommand("base", "train a base model on drawn brand art");
  base->require_subcommand(1);
  base->footer(
      "Example: affiche train base init --model out/mini, then vae, encode and unet "
      "(docs/models.md)");
  add_init(*base, choose);
  add_vae(*base, choose);
  add_encode(*base, choose);
  add_unet(*base, choose);
  add_export(*base, choose);
  add_lora(train, choose, files);
  add_data_command(train, choose, files);
}

}  // namespace affiche::diffusion
