// SPDX-License-Identifier: Apache-2.0
#include "service/loaded_model.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <map>

#include "base/error.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/pipeline.h"

namespace affiche::service {

using diffusion::AdapterStack;
using diffusion::LoraFile;
using diffusion::Pipeline;

struct LoadedModel::Engine {
  explicit Engine(const std::filesystem::path& model)
      : pipeline(load(model)), adapters(pipeline->adapter_targets()) {}
  static std::unique_ptr<Pipeline> load(const std::filesystem::path& model) {
    diffusion::ModelFiles files;
    files.model = model;
    return diffusion::load_pipeline(files, at::kFloat, at::kCPU);
  }

  std::unique_ptr<Pipeline> pipeline;
  AdapterStack adapters;
  std::map<std::string, std::shared_ptr<const LoraFile>> files;  // by hash, kept for swaps
  std::vector<std::pair<std::string, double>> worn;
};

LoadedModel::LoadedModel(const std::filesystem::path& model, std::string sha256, int threads)
    : sha256_(std::move(sha256)) {
  if (threads > 0) at::set_num_threads(threads);
  engine_ = std::make_unique<Engine>(model);
}

LoadedModel::~LoadedModel() = default;

void LoadedModel::wear(const std::vector<cards::VoiceLora>& loras,
                       const std::vector<RecipeLora>& recipes) {
  std::vector<std::pair<std::string, double>> wanted;
  for (const RecipeLora& recipe : recipes) wanted.emplace_back(recipe.sha256, recipe.weight);
  if (wanted == engine_->worn) return;
  std::vector<diffusion::LoraUse> uses;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& kept = engine_->files[wanted[i].first];
    if (!kept) kept = std::make_shared<const LoraFile>(diffusion::load_lora(loras.at(i).file));
    uses.push_back({kept, wanted[i].second});
  }
  // Straight from one set of LoRAs to the next: the memory of the old one serves the new one.
  try {
    engine_->adapters.apply(uses);
  } catch (...) {
    engine_->adapters.remove();
    engine_->worn.clear();
    throw;
  }
  engine_->worn = std::move(wanted);
}

Image LoadedModel::generate(const Recipe& recipe, std::stop_token stop) {
  diffusion::GenerateRequest request;
  request.prompts = {recipe.prompt};
  if (!recipe.negative_prompt.empty()) request.negative_prompts = {recipe.negative_prompt};
  request.seeds = {recipe.seed};
  request.num_inference_steps = recipe.steps;
  request.guidance_scale = recipe.guidance_scale;
  request.width = recipe.width;
  request.height = recipe.height;
  request.scheduler = recipe.scheduler;
  diffusion::Watch watch;
  watch.cancelled = [&stop] { return stop.stop_requested(); };
  const diffusion::Generation made = engine_->pipeline->generate(request, watch);
  return diffusion::image_at(made.images, 0);
}

}  // namespace affiche::service
