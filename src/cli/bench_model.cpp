// SPDX-License-Identifier: Apache-2.0
// affiche bench model: how good a model's backgrounds are, beside drawings as the ceiling.
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "cli/command.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/request_json.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/words.h"
#include "diffusion/training/model_figures.h"
#include "diffusion/training/pictures.h"

namespace affiche::cli {
namespace {

struct BenchModel {
  std::string model = "assets/models/affiche-mini";
  diffusion::FigureOptions figures;
  int classifier_steps = 600, steps = 20, width = 336, height = 176, threads = 0;
  double guidance = 3;
  std::filesystem::path sheet;
  std::vector<std::string> loras;
  bool all_families = false;
};

Json json_of(const diffusion::ModelFigures& figures,
             const std::vector<diffusion::Family>& families) {
  Json styles = Json::object();
  for (std::size_t i = 0; i < families.size(); ++i)
    styles[std::string(diffusion::family_names()[static_cast<std::size_t>(families[i])])] =
        figures.style_of.at(i);
  return {{"colour_median", figures.colour_median},
          {"colour_p90", figures.colour_p90},
          {"style", figures.style},
          {"style_of", styles},
          {"diversity", figures.diversity},
          {"artefacts", figures.artefacts},
          {"pictures", figures.pictures}};
}

void print(const char* name, const diffusion::ModelFigures& f) {
  std::printf("%-10s %7.1f %7.1f %6.0f %% %9.3f %8.0f %% %8d\n", name, f.colour_median,
              f.colour_p90, 100 * f.style, f.diversity, 100 * f.artefacts, f.pictures);
}

// A row for every two families: what was drawn of a prompt, and three pictures of it.
void write_sheet(const std::filesystem::path& path, const std::vector<diffusion::Family>& families,
                 const diffusion::Painter& drawn, const diffusion::Painter& painted) {
  constexpr int kWidth = 168, kHeight = 88, kEach = 4, kGap = 4;
  const int rows = static_cast<int>(families.size() + 1) / 2;
  Image sheet = make_image(2 * kEach * kWidth + kGap, rows * (kHeight + kGap) - kGap, 3);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), std::uint8_t{255});
  for (std::size_t f = 0; f < families.size(); ++f) {
    const diffusion::Scene scene = diffusion::random_scene(2000 + f, families[f]);
    for (int i = 0; i < kEach; ++i) {
      const Image picture =
          diffusion::cover((i == 0 ? drawn : painted)(diffusion::caption(scene),
                                                      scene.seed + static_cast<std::uint64_t>(i)),
                           kWidth, kHeight);
      const int left = static_cast<int>(f % 2) * (kEach * kWidth + kGap) + i * kWidth;
      const int top = static_cast<int>(f / 2) * (kHeight + kGap);
      for (int y = 0; y < kHeight; ++y)
        std::copy_n(&picture.pixels[static_cast<std::size_t>(y * kWidth * 3)], kWidth * 3,
                    &sheet.pixels[static_cast<std::size_t>(((top + y) * sheet.width + left) * 3)]);
    }
  }
  write_atomically(path, cards::encode(sheet, cards::format_for(path)).bytes);
}

std::vector<diffusion::LoraUse> uses_of(const std::vector<std::string>& loras) {
  std::vector<diffusion::LoraUse> uses;
  for (const std::string& text : loras) {
    const diffusion::LoraChoice choice = diffusion::parse_lora_choice(text);
    uses.push_back({std::make_shared<const diffusion::LoraFile>(diffusion::load_lora(choice.file)),
                    choice.weight});
  }
  return uses;
}

int bench(BenchModel options, bool json) {
  using namespace diffusion;
  if (options.threads > 0) at::set_num_threads(options.threads);
  if (options.all_families) {
    options.figures.families.clear();
    for (std::size_t f = 0; f < kRandomFamilies; ++f)
      options.figures.families.push_back(static_cast<Family>(f));
  }
  const auto report = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  const auto pipeline = StableDiffusionPipeline::from_folder(options.model, at::kFloat, at::kCPU);
  AdapterStack adapters(pipeline->adapter_targets());
  adapters.apply(uses_of(options.loras));
  const FamilyClassifier classifier(options.figures.families, options.classifier_steps, 1, report);
  const Painter drawn = [&](const std::string& prompt, std::uint64_t seed) {
    return draw(drawing_of(prompt, seed), options.width, options.height);
  };
  double seconds = 0;
  const Painter painted = [&](const std::string& prompt, std::uint64_t seed) {
    const auto start = std::chrono::steady_clock::now();
    GenerateRequest request;
    request.prompts = {prompt};
    request.seeds = {static_cast<std::int64_t>(seed % 1'000'000'000)};
    request.num_inference_steps = options.steps;
    request.guidance_scale = options.guidance;
    request.width = options.width;
    request.height = options.height;
    Image image = image_at(pipeline->generate(request).images, 0);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return image;
  };
  if (!options.sheet.empty()) write_sheet(options.sheet, options.figures.families, drawn, painted);
  seconds = 0;
  const ModelFigures ceiling = measure(drawn, classifier, options.figures);
  const ModelFigures model = measure(painted, classifier, options.figures, report);
  const double each = seconds / std::max(1, model.pictures);
  if (json) {
    std::printf("%s\n", Json{{"model", json_of(model, options.figures.families)},
                             {"drawn", json_of(ceiling, options.figures.families)},
                             {"seconds_per_picture", each}}
                            .dump()
                            .c_str());
    return 0;
  }
  std::printf("%-10s %7s %7s %8s %9s %10s %8s\n", "", "colour", "90 %", "style", "diversity",
              "artefacts", "pictures");
  print("model", model);
  print("drawn", ceiling);
  std::printf("\n%-20s %8s %8s\n", "style of", "model", "drawn");
  for (std::size_t i = 0; i < options.figures.families.size(); ++i) {
    const auto family = static_cast<std::size_t>(options.figures.families[i]);
    std::printf("%-20s %6.0f %% %6.0f %%\n", std::string(family_names()[family]).c_str(),
                100 * model.style_of[i], 100 * ceiling.style_of[i]);
  }
  std::printf("\n%.2f s a picture\n", each);
  return 0;
}

}  // namespace

void add_bench_model(CLI::App& bench_command, Shared& shared) {
  CLI::App* command = bench_command.add_subcommand(
      "model", "colours, families, diversity and flaws of a model's backgrounds");
  auto options = std::make_shared<BenchModel>();
  command->add_option("--model", options->model, "diffusers folder");
  command->add_option("--lora", options->loras, "FILE[:WEIGHT] that the model wears");
  command->add_option("--prompts", options->figures.colour_prompts, "prompts that name colours");
  command->add_option("--styles", options->figures.style_seeds, "pictures of each family");
  command->add_option("--diverse", options->figures.diversity_prompts,
                      "prompts that are painted with several seeds");
  command->add_option("--seeds", options->figures.diversity_seeds, "seeds of each of these");
  command->add_flag("--all-families", options->all_families,
                    "all families of drawings, not only those of the shipped model");
  command->add_option("--sheet", options->sheet,
                      "also write a contact sheet: of each family a drawing and three pictures");
  command->add_option("--classifier-steps", options->classifier_steps,
                      "training of the classifier");
  command->add_option("--steps", options->steps, "sampling steps");
  command->add_option("--guidance", options->guidance, "guidance scale");
  command->add_option("--width", options->width, "pixels");
  command->add_option("--height", options->height, "pixels");
  command->add_option("--threads", options->threads, "CPU threads; 0: all");
  command->footer(
      "Example: affiche bench model --model assets/models/affiche-mini --prompts 24 --styles 2");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return bench(*options, shared.json); };
  });
}

}  // namespace affiche::cli
