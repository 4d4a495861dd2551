// SPDX-License-Identifier: Apache-2.0
// The model and the LoRA that the repository ships. A run of the trainer that ends in noise, or in
// pictures that do not listen to their prompt, must not get in.
#include <ATen/ATen.h>

#include <memory>

#include "catch.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/training/drawing/colour.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

const std::filesystem::path kModel = AFFICHE_SOURCE_DIR "/assets/models/affiche-mini";
const std::filesystem::path kLora = AFFICHE_SOURCE_DIR "/assets/models/lora/demo-brand.safetensors";

const StableDiffusionPipeline& shipped() {
  static const auto pipeline = StableDiffusionPipeline::from_folder(kModel, at::kFloat, at::kCPU);
  return *pipeline;
}

// N×H×W×3 levels of 0 to 255, float32.
at::Tensor paint(const StableDiffusionPipeline& pipeline, const std::vector<std::string>& prompts,
                 std::int64_t first_seed = 1) {
  GenerateRequest request;
  request.prompts = prompts;
  request.seeds.clear();
  for (std::size_t i = 0; i < prompts.size(); ++i)
    request.seeds.push_back(first_seed + static_cast<std::int64_t>(i));
  request.num_inference_steps = 10;
  request.guidance_scale = 3;
  request.width = 256;
  request.height = 256;
  return pipeline.generate(request).images.to(at::kFloat);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().mean().item<double>();
}

Lab mean_colour(const at::Tensor& picture) {
  const at::Tensor mean = picture.mean(at::IntArrayRef{0, 1}).round().to(at::kInt);
  const auto level = [&](int i) { return static_cast<std::uint32_t>(mean[i].item<int>()); };
  return lab_of_srgb(level(0) << 16 | level(1) << 8 | level(2));
}

std::uintmax_t bytes_under(const std::filesystem::path& folder) {
  std::uintmax_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

}  // namespace

TEST_CASE("the shipped model paints in the colour that was asked for", "[shipped]") {
  const std::vector<std::string> names = {"red",   "emerald",  "royal blue",
                                          "white", "charcoal", "orange"};
  std::vector<std::string> prompts;
  std::vector<Lab> colours;
  for (const std::string& name : names) {
    prompts.push_back("gradient mesh, " + name);
    for (const NamedColour& colour : palette())
      if (colour.name == name) colours.push_back(lab_of_srgb(colour.rrggbb));
  }
  REQUIRE(colours.size() == names.size());
  const at::Tensor pictures = paint(shipped(), prompts);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Lab found = mean_colour(pictures[static_cast<std::int64_t>(i)]);
    std::size_t nearest = 0;
    for (std::size_t j = 1; j < names.size(); ++j)
      if (distance(found, colours[j]) < distance(found, colours[nearest])) nearest = j;
    INFO("asked for " << names[i] << ", found " << names[nearest]);
    CHECK(nearest == i);
  }
}

TEST_CASE("the shipped model's grounds are smooth and differ by seed", "[shipped]") {
  const std::vector<std::string> prompts(3, "gradient mesh, ink navy, teal and coral");
  const at::Tensor pictures = paint(shipped(), prompts);
  // Between neighbouring pixels; noise of the same spread would give tens of levels.
  CHECK(difference(pictures.slice(1, 1), pictures.slice(1, 0, -1)) < 2.5);
  CHECK(difference(pictures.slice(2, 1), pictures.slice(2, 0, -1)) < 2.5);
  CHECK(difference(pictures[0], pictures[1]) > 4);
  CHECK(difference(pictures[1], pictures[2]) > 4);
  const at::Tensor same = paint(shipped(), {prompts[0]});
  CHECK(difference(same[0], pictures[0]) < 0.5);
}

TEST_CASE("the demo brand's LoRA fits the shipped model and changes its pictures", "[shipped]") {
  const std::vector<std::string> prompt = {"demo brand, ink navy, teal and coral"};
  const at::Tensor plain = paint(shipped(), prompt);
  const auto worn = StableDiffusionPipeline::from_folder(kModel, at::kFloat, at::kCPU);
  AdapterStack stack({{"unet", {"lora_unet"}, &worn->components().unet->parameters()}});
  const auto reports = stack.apply({{std::make_shared<const LoraFile>(load_lora(kLora)), 1.0}});
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].unmatched.empty());
  CHECK(reports[0].mismatched.empty());
  CHECK(difference(paint(*worn, prompt), plain) > 8);
}

TEST_CASE("model and LoRA keep to their budgets of bytes", "[shipped]") {
  CHECK(bytes_under(kModel) < 50'000'000);
  CHECK(std::filesystem::file_size(kLora) < 2'000'000);
}
