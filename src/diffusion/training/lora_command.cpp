// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/lora_command.h"

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "diffusion/training/loop_command.h"
#include "diffusion/training/lora_trainer.h"

namespace affiche::diffusion {
namespace {

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
                   "adapt the convolutions too, for a look that lies in shapes and edges; small "
                   "models always, unless --targets says otherwise");
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
                  "adamw; adamw8bit or factored: less memory for its state")
      ->check(CLI::IsMember({"adamw", "adamw8bit", "factored"}));
  command.add_flag("--checkpointing", training.checkpointing,
                   "compute blocks again for their gradients: less memory, more time");
  command.add_option("--held-out", training.held_out, "share of the pictures for validation")
      ->check(CLI::Range(0.0, 0.5));
  command.add_option("--validate-every", training.loop.validate_every, "steps between validations");
  command.add_option("--patience", training.loop.patience,
                     "end after so many validations without a better one; 0: never");
}

}  // namespace

void add_lora_command(CLI::App& train, const Choose& choose, const PictureFiles& files) {
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
      chosen.convolutions_of_small = options->targets.empty();
      chosen.shape.convolutions |= options->convolutions;
      chosen.shape.text_encoders |= options->text_encoders;
      chosen.shape.alpha =
          options->alpha > 0 ? options->alpha : static_cast<double>(chosen.shape.rank);
      if (!options->brand.empty() && chosen.caption.empty() && files.brand_prompt)
        chosen.caption = files.brand_prompt(options->brand);
      chosen.loop.cosine = options->schedule == "cosine";
      if (options->schedule == "constant") chosen.loop.decay = 0;
      for (const auto state : {OptimizerState::Factored, OptimizerState::EightBit})
        if (options->optimizer == name(state)) chosen.optimizer = state;
      chosen.layout = options->layout == "kohya" ? LoraLayout::Kohya : LoraLayout::Peft;
      chosen.device = options->device == "cuda" ? at::kCUDA : at::kCPU;
      chosen.loop.images_per_step = chosen.batch * chosen.loop.accumulate;
      if (chosen.held_out > 0 && chosen.loop.validate_every == 0) chosen.loop.validate_every = 50;
      const LoraResult result = train_lora(chosen, files, command_hooks());
      std::printf("%s: feature distance to the pictures %.3f, before %.3f; see %s\n",
                  chosen.out.c_str(), result.distance_after, result.distance_before,
                  result.sheet.c_str());
      return 0;
    });
  });
}

}  // namespace affiche::diffusion
