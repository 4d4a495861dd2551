// SPDX-License-Identifier: Apache-2.0
#include "cli/generate_options.h"

#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "cli/border.h"
#include "cli/model.h"
#include "cli/picture_recipe.h"
#include "imaging/canny.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;

Json read_json_file(const fs::path& file) {
  return parse_json(read_text(file), file.string(), true);
}

// Numbers between separators; Usage unless there are as many as `least` to `most`.
std::vector<double> numbers(const std::string& option, const std::string& text, char separator,
                            std::size_t least, std::size_t most, const char* form) {
  std::vector<double> values;
  bool whole = false;
  for (std::size_t begin = 0; !whole;) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc{} || stop != text.data() + end) break;
    values.push_back(value);
    whole = end == text.size();
    begin = end + 1;
  }
  if (!whole || values.size() < least || values.size() > most) {
    fail(Cause::Usage, option, " \"", text, "\": expected ", form);
  }
  return values;
}

void take_task(const GenerateOptions& options, diffusion::RequestFile& file) {
  diffusion::GenerateRequest& request = file.request;
  if (!options.init.empty()) file.pictures.image = options.init;
  if (!options.mask.empty()) file.pictures.mask = options.mask;
  if (options.strength) request.strength = options.strength;
  for (const std::string& control : options.controls) diffusion::add_control(file, control);
  if (options.canny) file.pictures.canny.assign(file.pictures.controls.size(), true);
  if (!options.outpaint.empty()) {
    const std::vector<double> sides = numbers("--outpaint", options.outpaint, ',', 4, 5,
                                              "LEFT,TOP,RIGHT,BOTTOM[,OVERLAP] in pixels");
    diffusion::Outpaint grow;
    grow.left = static_cast<std::int64_t>(sides[0]);
    grow.top = static_cast<std::int64_t>(sides[1]);
    grow.right = static_cast<std::int64_t>(sides[2]);
    grow.bottom = static_cast<std::int64_t>(sides[3]);
    if (sides.size() == 5) grow.overlap = static_cast<std::int64_t>(sides[4]);
    request.outpaint = grow;
  }
  if (!options.hires.empty()) {
    const std::vector<double> pass =
        numbers("--hires", options.hires, ':', 1, 2, "SCALE[:STRENGTH]");
    diffusion::HiresPass hires = request.hires.value_or(diffusion::HiresPass{});
    hires.scale = pass[0];
    if (pass.size() == 2) hires.strength = pass[1];
    request.hires = hires;
  }
  if (options.vae_tiling) request.vae_tiling = true;
}

void take_picture_options(const GenerateOptions& options, diffusion::RequestFile& file) {
  diffusion::GenerateRequest& request = file.request;
  const auto take = [](const auto& option, auto& value) {
    if (option) value = *option;
  };
  if (!options.model.empty()) file.files.model = options.model;
  if (!options.unet.empty()) file.files.unet = options.unet;
  if (!options.vae.empty()) file.files.vae = options.vae;
  file.files.options.allow_pickle = options.allow_pickle;
  if (options.prompt) request.prompts = {*options.prompt};
  if (options.negative) request.negative_prompts = {*options.negative};
  take(options.steps, request.num_inference_steps);
  take(options.guidance, request.guidance_scale);
  take(options.scheduler, request.scheduler);
  take(options.width, request.width);
  take(options.height, request.height);
  take(options.eta, request.eta);
  take(options.guidance_rescale, request.guidance_rescale);
  if (options.clip_skip) request.clip_skip = options.clip_skip;
  if (options.seed) request.seeds = {*options.seed};
  if (options.count) {
    // Picture i of a batch is the picture that seed + i gives alone.
    request.num_images_per_prompt = *options.count;
    const std::int64_t first = request.seeds.front();
    const auto prompts = static_cast<std::int64_t>(request.prompts.size());
    request.seeds.clear();
    for (std::int64_t i = 0; i < *options.count * prompts; ++i) request.seeds.push_back(first + i);
  }
  if (!options.scheduler_config.empty()) {
    request.scheduler_config = read_json_file(options.scheduler_config);
  }
}

Image read_picture(const fs::path& file) {
  if (!fs::is_regular_file(file)) {
    fail(Cause::Usage, file.string(), ": expected a picture, found no such file");
  }
  return cards::decode(read_bytes(file), file.string());
}

void read_pictures(diffusion::RequestFile& file) {
  const diffusion::RequestPictures& pictures = file.pictures;
  if (!pictures.image.empty()) file.request.image = read_picture(pictures.image);
  if (!pictures.mask.empty()) file.request.mask = read_picture(pictures.mask);
  for (std::size_t i = 0; i < pictures.controls.size(); ++i) {
    Image image = read_picture(pictures.controls[i]);
    file.request.controls[i].image = pictures.canny[i] ? canny(image) : std::move(image);
  }
}

void add_model_options(CLI::App& command, GenerateOptions& o) {
  command
      .add_option("--model", o.model,
                  "Model: a diffusers folder, a single file, or hub:OWNER/NAME after model fetch")
      ->check(model_input());
  command.add_option("--unet", o.unet, "UNet in place of the model's own: folder or file")
      ->check(model_input());
  command.add_option("--vae", o.vae, "VAE in place of the model's own: folder or file")
      ->check(model_input());
  command
      .add_option("--lora", o.loras,
                  "LoRA file with an optional weight, FILE[:WEIGHT]; may be "
                  "given several times")
      ->allow_extra_args(false);
  command.add_flag("--allow-pickle", o.allow_pickle, "Also read .ckpt, .pt and .bin files");
  command.add_option("--dtype", o.dtype, "Number format of the networks; default fp32")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  command.add_option("--device", o.device, "Where the networks run; default cpu")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command.add_option("--threads", o.threads, "CPU threads; default: all cores")
      ->check(CLI::Range(1, 1024));
}

void add_picture_options(CLI::App& command, GenerateOptions& o) {
  command.add_option("--prompt", o.prompt, "What the picture shows");
  command.add_option("--negative", o.negative, "What it does not show");
  command
      .add_option("--steps", o.steps,
                  "Steps of the scheduler; default as in diffusers: 50, LCM 4, upscaler 75")
      ->check(whole_number());
  command
      .add_option("--guidance", o.guidance,
                  "How closely the prompt is followed, 1 or less: off; default as in diffusers: "
                  "7.5, XL 5")
      ->check(finite_number());
  command.add_option("--scheduler", o.scheduler,
                     "Name as in diffusers or A1111, for instance \"DPM++ 2M Karras\"; default: "
                     "the model's own");
  command.add_option("--seed", o.seed, "Seed of the random generator; default 0")
      ->check(whole_number());
  command.add_option("--width", o.width, "Pixels, a multiple of 8; default: the model's own")
      ->check(whole_number() & CLI::PositiveNumber);
  command.add_option("--height", o.height, "Pixels, a multiple of 8; default: the model's own")
      ->check(whole_number() & CLI::PositiveNumber);
  command.add_option("--count", o.count, "Number of pictures, with seeds from --seed upwards")
      ->check(CLI::Range(1, 64));
  command.add_option("--clip-skip", o.clip_skip, "Last layers of the text encoder to leave out")
      ->check(CLI::Range(0, 100));
  command.add_option("--eta", o.eta, "Noise that DDIM and TCD add in every step; default 0")
      ->check(finite_number());
  command
      .add_option("--guidance-rescale", o.guidance_rescale,
                  "Counters overexposure at high guidance, 0 to 1; default 0")
      ->check(finite_number());
  command
      .add_option("--scheduler-config", o.scheduler_config,
                  "Options of a scheduler_config.json, over the model's own")
      ->check(existing_input());
}

void add_task_options(CLI::App& command, GenerateOptions& o) {
  command.add_option("--init", o.init, "Picture to start from, which decides the size")
      ->check(existing_input());
  command
      .add_option("--strength", o.strength,
                  "How much of it is painted anew, 0 to 1; default as in diffusers: 0.8, XL 0.3")
      ->check(finite_number());
  command.add_option("--mask", o.mask, "Picture that is white where --init is painted anew")
      ->check(existing_input());
  command.add_option("--outpaint", o.outpaint,
                     "Pixels to grow --init by: LEFT,TOP,RIGHT,BOTTOM[,OVERLAP]");
  command
      .add_option("--control", o.controls,
                  "ControlNet and its picture, MODEL:IMG[:SCALE[:START:END]]; may be given several "
                  "times")
      ->allow_extra_args(false);
  command.add_flag("--canny", o.canny, "Control with the edges of the control pictures");
  command.add_option("--hires", o.hires, "A second, larger pass: SCALE[:STRENGTH]");
  command.add_flag("--vae-tiling", o.vae_tiling, "Decode in tiles: large pictures in less memory");
}

}  // namespace

void add_options(CLI::App& command, GenerateOptions& o) {
  add_model_options(command, o);
  add_picture_options(command, o);
  add_task_options(command, o);
  command
      .add_option("--request", o.request_file,
                  "JSON object with diffusers' argument names; options given here count more")
      ->check(existing_input());
  command
      .add_option("--recipe", o.recipe,
                  "The same as TOML (affiche recipe import writes it), or a picture of affiche, "
                  "which is made again")
      ->check(existing_input())
      ->excludes("--request");
  command
      .add_option(
          "--models", o.models,
          "Folder in which the files of a recipe are looked for; may be given several times")
      ->allow_extra_args(false)
      ->check(existing_input());
  command
      .add_option("--out", o.out,
                  "PNG, JPEG or WebP file to write; several pictures become FILE-0.png …")
      ->required();
  command.add_option("--quality", o.quality, "Of JPEG and WebP, 1 to 100; default 95")
      ->check(CLI::Range(1, 100));
  command.add_option("--latents-out", o.latents_out, "Also write the latents, as safetensors");
  command.add_option("--preview", o.preview,
                     "PNG file that shows every fifth step about what the picture will be");
  command.add_flag("--timings", o.timings, "Print seconds per stage and peak memory as JSON");
}

bool changes_request(const GenerateOptions& o) {
  const bool texts = !o.model.empty() || !o.unet.empty() || !o.vae.empty() || !o.init.empty() ||
                     !o.mask.empty() || !o.outpaint.empty() || !o.hires.empty() ||
                     !o.scheduler_config.empty() || !o.controls.empty() || !o.loras.empty();
  return texts || o.prompt || o.negative || o.scheduler || o.steps || o.seed || o.width ||
         o.height || o.count || o.guidance || o.eta || o.guidance_rescale || o.strength ||
         o.clip_skip || o.canny || o.vae_tiling;
}

diffusion::RequestFile request_from(const GenerateOptions& options) {
  diffusion::RequestFile file;
  if (!options.recipe.empty()) file = read_recipe(options);
  if (!options.request_file.empty()) {
    const fs::path path = options.request_file;
    file = diffusion::read_request(read_json_file(path), path.parent_path(), path.string());
  }
  take_picture_options(options, file);
  take_task(options, file);
  for (const std::string& lora : options.loras) {
    file.loras.push_back(diffusion::parse_lora_choice(lora));
    if (!fs::exists(file.loras.back().file)) {
      fail(Cause::Usage, "--lora ", file.loras.back().file.string(), ": there is no such file");
    }
  }
  if (file.files.model.empty()) {
    fail(Cause::Usage, "generate: expected a model; give --model DIR");
  }
  if (!file.has_prompt && !options.prompt) {
    fail(Cause::Usage, "generate: expected a prompt; give --prompt TEXT (it may be empty)");
  }
  read_pictures(file);
  return file;
}

}  // namespace affiche::cli
