// SPDX-License-Identifier: Apache-2.0
// affiche generate: pictures from text and pictures, one request at a time.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <sys/resource.h>
#include <torch/version.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "cli/border.h"
#include "cli/command.h"
#include "cli/generate_options.h"
#include "cli/model.h"
#include "cli/picture_recipe.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/pipeline.h"
#include "diffusion/pipelines/request_json.h"
#include "diffusion/weights/safetensors.h"
#include "service/worker_signals.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;
using Time = std::chrono::steady_clock;

using Options = GenerateOptions;

struct Timings {
  double load = 0;
  double lora = 0;
};

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
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

// A recipe that is made again is one picture of those that its request makes.
std::vector<fs::path> write_pictures(const diffusion::Generation& made,
                                     const std::vector<cards::Metadata>& metadata,
                                     const Options& options, const recipes::PictureRecipe* again) {
  const cards::Format format = cards::format_for(options.out);
  const auto write = [&](const fs::path& file, std::int64_t index) {
    const cards::Encoded encoded =
        cards::encode(diffusion::image_at(made.images, index), format,
                      {.quality = options.quality.value_or(kQuality), .budget = 0},
                      metadata.at(static_cast<std::size_t>(index)));
    write_atomically(file, encoded.bytes);
  };
  if (again != nullptr) {
    if (again->making.pictures != made.images.size(0)) {
      fail(Cause::BadInput, options.recipe, ": its request makes ", made.images.size(0),
           " pictures, but it says that it was one of ", again->making.pictures);
    }
    write(options.out, again->making.picture);
    return {options.out};
  }
  const std::vector<fs::path> files = output_files(options.out, made.images.size(0));
  for (std::size_t i = 0; i < files.size(); ++i) write(files[i], static_cast<std::int64_t>(i));
  return files;
}

void write_latents(const fs::path& path, const diffusion::Generation& made) {
  diffusion::StateDict tensors = {
      {"latents", made.latents}, {"initial", made.initial}, {"prompt_embeds", made.prompt_embeds}};
  const auto add = [&](const char* name, const at::Tensor& tensor) {
    if (tensor.defined()) tensors[name] = tensor;
  };
  add("negative_prompt_embeds", made.negative_prompt_embeds);
  add("pooled", made.pooled_prompt_embeds);
  add("negative_pooled", made.negative_pooled_prompt_embeds);
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

// Models that were fetched, found in the cache, which keeps them for as long as the places live.
std::vector<service::ModelPlace> find_models(diffusion::ModelFiles& files, const Shared& shared) {
  std::vector<service::ModelPlace> places;
  const auto find = [&](fs::path& file) {
    places.push_back(model_place(file.string(), shared));
    file = places.back().path;
  };
  find(files.model);
  find(files.unet);
  find(files.vae);
  for (fs::path& controlnet : files.controlnets) find(controlnet);
  return places;
}

// The same bytes are promised for the same build and libtorch only.
void warn_of_other_makers(const recipes::PictureRecipe& recipe,
                          std::vector<std::string>& warnings) {
  const recipes::Making& making = recipe.making;
  if (making.build == AFFICHE_VERSION && making.libtorch == TORCH_VERSION) return;
  warnings.push_back(concat("the picture was made by affiche ", making.build, " with libtorch ",
                            making.libtorch, ", this is ", AFFICHE_VERSION, " with ", TORCH_VERSION,
                            ": it may differ"));
}

// A picture on its way is there for people to look at: the first of several, without a recipe.
void show_preview(const fs::path& file, const at::Tensor& pictures) {
  write_atomically(file, cards::encode_png(diffusion::image_at(pictures, 0), {}));
}

int generate(Options options, const Shared& shared) {
  options.config_file = shared.config_file;
  if (cards::format_for(options.out) == cards::Format::Avif) {
    fail(Cause::Usage, options.out, ": an AVIF holds no recipe; use .png, .jpg or .webp");
  }
  if (!options.preview.empty() && fs::path(options.preview).extension() != ".png") {
    fail(Cause::Usage, "--preview ", options.preview, ": expected a name that ends in .png");
  }
  // Before libtorch starts threads, which inherit the blocked signals.
  std::stop_source stop;
  const service::StopSignals signals([&] { stop.request_stop(); });
  std::optional<recipes::PictureRecipe> again;
  if (!options.recipe.empty() && is_picture(options.recipe)) {
    again = recipe_of_picture(options.recipe);
    options.dtype = again->making.dtype;
    options.device = again->making.device;
    options.threads = again->making.threads;
    if (!options.quality && again->making.quality > 0) options.quality = again->making.quality;
  }
  const diffusion::RequestFile file = request_from(options);
  if (changes_request(options)) again.reset();
  diffusion::ModelFiles files = file.files;
  const std::vector<service::ModelPlace> places = find_models(files, shared);
  if (options.threads > 0) at::set_num_threads(options.threads);

  Timings timings;
  Time::time_point start = Time::now();
  const auto pipeline =
      diffusion::load_pipeline(files, dtype_of(options.dtype), device_of(options.device));
  timings.load = seconds_since(start);

  std::vector<std::string> warnings;
  start = Time::now();
  diffusion::AdapterStack stack(pipeline->adapter_targets());
  wear(stack, file.loras, warnings);
  for (const std::string& warning :
       pipeline->apply_textual_inversions(file.textual_inversions, file.files.options)) {
    warnings.push_back(warning);
  }
  timings.lora = seconds_since(start);

  diffusion::Watch watch;
  watch.cancelled = [&] { return stop.stop_requested(); };
  if (!options.preview.empty()) {
    watch.preview = [&](std::int64_t, std::int64_t, const at::Tensor& pictures) {
      show_preview(options.preview, pictures);
    };
  }
  if (shared.verbosity >= 0 && !shared.json) {
    watch.step = [](std::int64_t done, std::int64_t total, const at::Tensor&) {
      show_progress(done, total);
    };
  }
  const diffusion::Generation made = pipeline->generate(file.request, watch);
  if (stop.stop_requested()) fail(Cause::Cancelled, "generation stopped before the files");
  warnings.insert(warnings.end(), made.warnings.begin(), made.warnings.end());
  const recipes::PictureRecipe* exact = again ? &*again : nullptr;
  if (exact != nullptr) warn_of_other_makers(*exact, warnings);
  const std::vector<fs::path> written = write_pictures(
      made, metadata_for(file, pipeline->traits(), made, options, exact), options, exact);
  if (!options.latents_out.empty()) write_latents(options.latents_out, made);
  report(options, shared, written, timings, made, warnings);
  return 0;
}

}  // namespace

int run_generate(const GenerateOptions& options, const Shared& shared) {
  return generate(options, shared);
}

void add_generate(CLI::App& app, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("generate", "Make pictures from a prompt with a model");
  command->footer(
      "Example: affiche generate --model assets/models/affiche-mini --prompt \"soft teal waves\" "
      "--seed 7 --out waves.png");
  add_options(*command, *options);
  command->callback([options, &shared] {
    shared.run = [options, &shared] { return generate(*options, shared); };
  });
}

}  // namespace affiche::cli
