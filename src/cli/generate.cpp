// SPDX-License-Identifier: Apache-2.0
// affiche generate: pictures from text, one request at a time.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cards/encode.h"
#include "cli/border.h"
#include "cli/command.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/request_json.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/weights/safetensors.h"
#include "imaging/recipe.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;
using Time = std::chrono::steady_clock;

// Options that the user left out keep the request file's values, so each one is optional here.
struct Options {
  std::string model;
  std::optional<std::string> prompt, negative, scheduler;
  std::optional<std::int64_t> steps, seed, width, height, count;
  std::optional<double> guidance, eta, guidance_rescale;
  std::optional<int> clip_skip;
  std::string dtype = "fp32";
  std::string device = "cpu";
  int threads = 0;
  std::vector<std::string> loras;
  std::string scheduler_config;
  std::string request_file;
  std::string out;
  std::string latents_out;
  bool timings = false;
};

struct Timings {
  double load = 0;
  double lora = 0;
};

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

Json read_json_file(const fs::path& file) {
  return parse_json(read_text(file), file.string(), true);
}

// The request file, overridden by what the command line says.
diffusion::RequestFile request_from(const Options& options) {
  diffusion::RequestFile file;
  if (!options.request_file.empty()) {
    const fs::path path = options.request_file;
    file = diffusion::read_request(read_json_file(path), path.parent_path(), path.string());
  }
  diffusion::GenerateRequest& request = file.request;
  const auto take = [](const auto& option, auto& value) {
    if (option) value = *option;
  };
  if (!options.model.empty()) file.model = options.model;
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
  for (const std::string& lora : options.loras) {
    file.loras.push_back(diffusion::parse_lora_choice(lora));
    if (!fs::exists(file.loras.back().file)) {
      fail(Cause::Usage, "--lora ", file.loras.back().file.string(), ": there is no such file");
    }
  }
  if (file.model.empty()) fail(Cause::Usage, "generate: expected a model; give --model DIR");
  if (!file.has_prompt && !options.prompt) {
    fail(Cause::Usage, "generate: expected a prompt; give --prompt TEXT (it may be empty)");
  }
  return file;
}

at::ScalarType dtype_of(const std::string& name) {
  if (name == "bf16") return at::kBFloat16;
  return name == "fp16" ? at::kHalf : at::kFloat;
}

at::Device device_of(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (!at::hasCUDA()) {
    fail(Cause::Usage, "--device cuda: this libtorch finds no CUDA device; use --device cpu");
  }
  return at::Device(at::kCUDA, 0);
}

// FILE.png, or FILE-0.png, FILE-1.png … when there are several.
std::vector<fs::path> output_files(const fs::path& out, std::int64_t count) {
  if (count == 1) return {out};
  std::vector<fs::path> files;
  for (std::int64_t i = 0; i < count; ++i) {
    fs::path name = out.stem();
    name += concat("-", i);
    name += out.extension();
    files.push_back(out.parent_path() / name);
  }
  return files;
}

Image image_at(const at::Tensor& images, std::int64_t index) {
  Image image = make_image(static_cast<int>(images.size(2)), static_cast<int>(images.size(1)), 3);
  const at::Tensor one = images[index].contiguous();
  std::memcpy(image.pixels.data(), one.const_data_ptr<std::uint8_t>(), image.pixels.size());
  return image;
}

// What made the picture, for the file's text chunk.
Recipe recipe_at(const diffusion::RequestFile& file, const diffusion::Generation& made,
                 std::size_t index, const Options& options) {
  const diffusion::GenerateRequest& request = file.request;
  const std::size_t prompt = index / static_cast<std::size_t>(request.num_images_per_prompt);
  Recipe recipe;
  recipe.model = fs::absolute(file.model).lexically_normal().filename().string();
  for (const diffusion::LoraChoice& lora : file.loras) {
    recipe.loras.push_back({lora.file.filename().string(), sha256_file(lora.file), lora.weight});
  }
  recipe.prompt = request.prompts[prompt];
  if (!request.negative_prompts.empty()) {
    recipe.negative_prompt =
        request.negative_prompts[std::min(prompt, request.negative_prompts.size() - 1)];
  }
  recipe.seed = request.seeds[std::min(index, request.seeds.size() - 1)];
  recipe.scheduler = made.scheduler;
  recipe.steps = static_cast<int>(request.num_inference_steps.value_or(50));
  recipe.guidance_scale = request.guidance_scale.value_or(7.5);
  recipe.width = static_cast<int>(made.images.size(2));
  recipe.height = static_cast<int>(made.images.size(1));
  recipe.dtype = options.dtype;
  recipe.build = AFFICHE_VERSION;
  return recipe;
}

std::vector<fs::path> write_pictures(const diffusion::RequestFile& file,
                                     const diffusion::Generation& made, const Options& options) {
  const std::vector<fs::path> files = output_files(options.out, made.images.size(0));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string recipe = to_json(recipe_at(file, made, i, options));
    write_atomically(files[i],
                     cards::encode_png(image_at(made.images, static_cast<std::int64_t>(i)),
                                       {{"affiche", recipe}}));
  }
  return files;
}

void write_latents(const fs::path& path, const diffusion::Generation& made) {
  diffusion::StateDict tensors = {
      {"latents", made.latents}, {"initial", made.initial}, {"prompt_embeds", made.prompt_embeds}};
  if (made.negative_prompt_embeds.defined()) {
    tensors["negative_prompt_embeds"] = made.negative_prompt_embeds;
  }
  diffusion::save_safetensors(path, tensors);
}

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Json timings_json(const Timings& timings, const diffusion::Generation& made) {
  return {{"load", timings.load},          {"lora", timings.lora},
          {"encode", made.encode_seconds}, {"steps", made.step_seconds},
          {"decode", made.decode_seconds}, {"peak_memory_mib", peak_memory_mib()}};
}

// A bar on a terminal, plain lines otherwise, both on standard error.
void show_progress(std::int64_t done, std::int64_t total) {
  constexpr std::int64_t kWidth = 30;
  if (isatty(STDERR_FILENO) != 0) {
    const auto filled = static_cast<std::size_t>(done * kWidth / total);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    std::fprintf(stderr, "\r[%s] step %lld of %lld%s", bar.c_str(), static_cast<long long>(done),
                 static_cast<long long>(total), done == total ? "\n" : "");
  } else if (done == total || done * 10 / total != (done - 1) * 10 / total) {
    std::fprintf(stderr, "step %lld of %lld\n", static_cast<long long>(done),
                 static_cast<long long>(total));
  }
}

// Layers that a LoRA file has and the model has not are worth a warning, not a failure.
void wear(diffusion::AdapterStack& stack, const std::vector<diffusion::LoraChoice>& choices,
          std::vector<std::string>& warnings) {
  std::vector<diffusion::LoraUse> uses;
  for (const diffusion::LoraChoice& choice : choices) {
    uses.push_back({std::make_shared<const diffusion::LoraFile>(diffusion::load_lora(choice.file)),
                    choice.weight, choice.dora_scale});
  }
  if (uses.empty()) return;
  for (const diffusion::LoraReport& report : stack.apply(uses)) {
    if (!report.ignored.empty()) {
      warnings.push_back(
          concat(report.file, ": its ", report.ignored.size(),
                 " dora_scale tensors were left out, as diffusers does; \"lora\" in ",
                 "--request takes \"dora_scale\": true"));
    }
    const std::size_t left_out = report.unmatched.size() + report.mismatched.size();
    if (left_out == 0) continue;
    const std::string example =
        report.unmatched.empty() ? report.mismatched[0].module : report.unmatched[0];
    warnings.push_back(concat(report.file, ": ", left_out, " of ", left_out + report.matched.size(),
                              " layers do not fit this model and were left out, for instance ",
                              example));
  }
}

void report(const Options& options, const Shared& shared, const std::vector<fs::path>& files,
            const Timings& timings, const diffusion::Generation& made,
            const std::vector<std::string>& warnings) {
  if (shared.json) {
    Json answer = {
        {"outputs", Json::array()}, {"scheduler", made.scheduler}, {"warnings", warnings}};
    for (const fs::path& file : files) answer["outputs"].push_back(file.string());
    if (options.timings) answer["timings"] = timings_json(timings, made);
    std::puts(answer.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return;
  }
  for (const std::string& warning : warnings) {
    std::fprintf(stderr, "affiche: warning: %s\n", warning.c_str());
  }
  // With --timings standard output holds nothing but JSON.
  if (options.timings) {
    std::puts(timings_json(timings, made).dump().c_str());
  } else if (shared.verbosity >= 0) {
    for (const fs::path& file : files) std::printf("%s\n", file.c_str());
  }
}

int generate(const Options& options, const Shared& shared) {
  const fs::path out = options.out;
  if (out.extension() != ".png") {
    fail(Cause::Usage, "--out ", out.string(), ": expected a name that ends in .png");
  }
  const diffusion::RequestFile file = request_from(options);
  if (options.threads > 0) at::set_num_threads(options.threads);

  Timings timings;
  Time::time_point start = Time::now();
  const auto pipeline = diffusion::StableDiffusionPipeline::from_folder(
      file.model, dtype_of(options.dtype), device_of(options.device));
  timings.load = seconds_since(start);

  std::vector<std::string> warnings;
  start = Time::now();
  diffusion::Components& parts = pipeline->components();
  diffusion::AdapterStack stack(
      {{"unet", {"lora_unet"}, &parts.unet->parameters()},
       {"text_encoder", {"lora_te", "lora_te1"}, &parts.text_encoder->parameters()}});
  wear(stack, file.loras, warnings);
  timings.lora = seconds_since(start);

  diffusion::Watch watch;
  if (shared.verbosity >= 0 && !shared.json) {
    watch.step = [](std::int64_t done, std::int64_t total, const at::Tensor&) {
      show_progress(done, total);
    };
  }
  const diffusion::Generation made = pipeline->generate(file.request, watch);
  warnings.insert(warnings.end(), made.warnings.begin(), made.warnings.end());
  const std::vector<fs::path> files = write_pictures(file, made, options);
  if (!options.latents_out.empty()) write_latents(options.latents_out, made);
  report(options, shared, files, timings, made, warnings);
  return 0;
}

// Options of the design that a later version brings: known, so that the message can say so.
void add_later_options(CLI::App& command) {
  for (const auto& [name, task] :
       {std::pair{"--init", "image-to-image"}, std::pair{"--strength", "image-to-image"},
        std::pair{"--mask", "in-painting"}, std::pair{"--control", "ControlNet"}}) {
    const std::string option = name;
    const std::string what = task;
    command
        .add_option_function<std::vector<std::string>>(
            name,
            [option, what](const std::vector<std::string>&) {
              throw CLI::ValidationError(option, what + " is not part of this version");
            })
        ->group("");
  }
}

void add_options(CLI::App& command, Options& o) {
  command.add_option("--model", o.model, "Model folder as diffusers writes it")
      ->check(existing_input());
  command.add_option("--prompt", o.prompt, "What the picture shows");
  command.add_option("--negative", o.negative, "What it does not show");
  command.add_option("--steps", o.steps, "Steps of the scheduler; default 50")
      ->check(whole_number());
  command
      .add_option("--guidance", o.guidance,
                  "How closely the prompt is followed; default 7.5, 1 or less: off")
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
  command.add_option("--dtype", o.dtype, "Number format of the networks; default fp32")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  command.add_option("--device", o.device, "Where the networks run; default cpu")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command.add_option("--threads", o.threads, "CPU threads; default: all cores")
      ->check(CLI::Range(1, 1024));
  command
      .add_option("--lora", o.loras,
                  "LoRA file with an optional weight, FILE[:WEIGHT]; may be "
                  "given several times")
      ->allow_extra_args(false);
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
                  "A scheduler_config.json in place of the model's own")
      ->check(existing_input());
  command
      .add_option("--request", o.request_file,
                  "JSON object with diffusers' argument names; options given here count more")
      ->check(existing_input());
  command.add_option("--out", o.out, "PNG file to write; several pictures become FILE-0.png …")
      ->required();
  command.add_option("--latents-out", o.latents_out, "Also write the latents, as safetensors");
  command.add_flag("--timings", o.timings, "Print seconds per stage and peak memory as JSON");
}

}  // namespace

void add_generate(CLI::App& app, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("generate", "Make pictures from a prompt with a model");
  command->footer(
      "Example: affiche generate --model assets/models/affiche-mini --prompt \"soft teal waves\" "
      "--seed 7 --out waves.png");
  add_options(*command, *options);
  add_later_options(*command);
  command->callback([options, &shared] {
    shared.run = [options, &shared] { return generate(*options, shared); };
  });
}

}  // namespace affiche::cli
