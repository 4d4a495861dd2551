// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/commands.h"

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "diffusion/training/architecture.h"
#include "diffusion/training/base_trainer.h"
#include "diffusion/training/distiller.h"
#include "diffusion/training/draw_data.h"
#include "diffusion/training/latents.h"
#include "diffusion/training/loop_command.h"
#include "diffusion/training/lora_command.h"
#include "diffusion/training/text_trainer.h"
#include "diffusion/training/vae_trainer.h"

namespace affiche::diffusion {
namespace {

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

void add_device(CLI::App& command, at::Device& device) {
  command
      .add_option_function<std::string>(
          "--device", [&device](const std::string& name) { device = at::Device(name); },
          "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}));
}

template <typename Training>
void add_computing(CLI::App& command, Training& training) {
  command.add_flag_callback(
      "--fp32", [&training] { training.type = at::kFloat; }, "compute in fp32");
  add_device(command, training.device);
  add_loop_options(command, training.loop);
  add_threads(command);
}

void add_families(CLI::App& command, std::vector<Family>& families, const char* help) {
  command
      .add_option_function<std::vector<std::string>>(
          "--families",
          [&families](const std::vector<std::string>& names) {
            for (const std::string& name : names) {
              families.push_back(family_of(name));
              if (families.back() == Family::DemoBrand)
                fail(Cause::Usage,
                     "--families: expected families that scenes by chance have, found demo brand; "
                     "train data --family demo-brand draws it");
            }
          },
          help)
      ->delimiter(',');
}

void add_vae(CLI::App& base, const Choose& choose, const PictureFiles& files) {
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
  add_computing(*command, *training);
  command->footer("Example: affiche train base vae --model out/mini --work out/vae --steps 4000");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      train_vae(*training, files, command_hooks());
      return 0;
    });
  });
}

struct Encoding {
  std::filesystem::path model, file;
  std::vector<Family> families;
  int width = 256, height = 256;
  std::int64_t count = 4096;
  std::uint64_t first = 1;
  at::Device device = at::kCPU;
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
  command->add_option("--count", encoding->count, "pictures")->check(CLI::PositiveNumber);
  command->add_option("--first", encoding->first, "seed of the first scene");
  add_families(*command, encoding->families, "families to draw; all when none is named");
  add_device(*command, encoding->device);
  add_threads(*command);
  command->footer(
      "Example: affiche train base encode --model out/mini --out out/a.safetensors --count 4096");
  command->callback([=] {
    choose([=] {
      keep_memory();
      const auto vae = load_vae(encoding->model, at::kFloat, encoding->device);
      save_latents(encoding->file,
                   encode_scenes(*vae, encoding->first, encoding->count, encoding->width,
                                 encoding->height, encoding->families, [](std::int64_t done) {
                                   if (done % 512 == 0)
                                     std::printf("%lld encoded\n", static_cast<long long>(done));
                                   std::fflush(stdout);
                                 }));
      return 0;
    });
  });
}

void add_text(CLI::App& base, const Choose& choose) {
  auto training = std::make_shared<TextTraining>();
  training->loop.sheet_every = 0;
  CLI::App* command =
      base.add_subcommand("text", "teach the text encoder what captions mean, before the UNet");
  command->add_option("--model", training->model, "diffusers folder")->required();
  command->add_option("--batch", training->batch, "captions a step");
  add_loop_options(*command, training->loop);
  add_threads(*command);
  command->footer("Example: affiche train base text --model out/mini --work out/text --steps 1500");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      train_text(*training, command_hooks());
      return 0;
    });
  });
}

void add_unet(CLI::App& base, const Choose& choose, const PictureFiles& files) {
  auto training = std::make_shared<BaseTraining>();
  CLI::App* command =
      base.add_subcommand("unet", "train UNet and text encoder on encoded drawings");
  command->add_option("--model", training->model, "diffusers folder")->required();
  command->add_option("--latents", training->latents, "files made by encode")->required();
  add_families(*command, training->families, "families to learn; all when none is named");
  command->add_option("--batch", training->batch, "pictures a step");
  command
      ->add_option_function<std::string>(
          "--optimizer",
          [=](const std::string& chosen) {
            for (const OptimizerState state : {OptimizerState::Full, OptimizerState::Muon})
              if (chosen == name(state)) training->optimizer = state;
          },
          "adamw or muon")
      ->check(CLI::IsMember({"adamw", "muon"}));
  command->add_option("--drop-captions", training->drop_captions, "share of empty captions");
  command->add_option("--min-snr", training->min_snr,
                      "limit of the weight of steps with little noise; 0: all weigh alike");
  command->add_option("--shift", training->shift,
                      "above 1: more steps near noise, where families and layouts are decided");
  command->add_flag("--freeze-text", training->freeze_text, "keep the text encoder as it is");
  command->add_option("--average", training->average_decay, "decay of the running average");
  add_computing(*command, *training);
  command->footer(
      "Example: affiche train base unet --model out/mini --latents out/a.safetensors "
      "--work out/unet");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      train_base(*training, files, command_hooks());
      return 0;
    });
  });
}

void add_distil(CLI::App& base, const Choose& choose, const PictureFiles& files) {
  auto training = std::make_shared<Distillation>();
  training->loop.steps = 800;
  training->loop.warm_up = 20;
  CLI::App* command = base.add_subcommand(
      "distil", "train a LoRA with which the model needs few steps and no guidance");
  command->add_option("--model", training->model, "diffusers folder: teacher and base")->required();
  command->add_option("--latents", training->latents, "files made by encode")->required();
  command->add_option("--out", training->out, "safetensors file to write")->required();
  add_families(*command, training->families, "families to learn; all when none is named");
  command->add_option("--student-steps", training->student_steps, "steps of a picture with it")
      ->check(CLI::Range(1, 50));
  command->add_option("--teacher-steps", training->teacher_steps, "of the model, for each of these")
      ->check(CLI::Range(2, 50));
  command->add_option("--guidance", training->guidance, "of the model, which the LoRA takes over");
  command->add_option("--rank", training->rank, "rank of the factors")->check(CLI::Range(1, 512));
  command->add_option("--batch", training->batch, "pictures a step");
  add_computing(*command, *training);
  command->footer(
      "Example: affiche train base distil --model out/mini --latents out/a.safetensors "
      "--out few-steps.safetensors --work out/distil");
  command->callback([=] {
    choose([=] {
      training->loop.images_per_step = training->batch;
      distil(*training, files, command_hooks());
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

}  // namespace

void add_training_commands(CLI::App& train, const Choose& choose, const PictureFiles& files) {
  CLI::App* base = train.add_subcommand("base", "train a base model on drawn brand art");
  base->require_subcommand(1);
  base->footer(
      "Example: affiche train base init --model out/mini, then text, vae, encode and unet "
      "(docs/models.md)");
  add_init(*base, choose);
  add_text(*base, choose);
  add_vae(*base, choose, files);
  add_encode(*base, choose);
  add_unet(*base, choose, files);
  add_distil(*base, choose, files);
  add_export(*base, choose);
  add_lora_command(train, choose, files);
  add_data_command(train, choose, files);
}

}  // namespace affiche::diffusion
