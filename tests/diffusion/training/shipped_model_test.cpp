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
const std::filesystem::path kLoras = AFFICHE_SOURCE_DIR "/assets/models/lora";

const StableDiffusionPipeline& shipped() {
  static const auto pipeline = StableDiffusionPipeline::from_folder(kModel, at::kFloat, at::kCPU);
  return *pipeline;
}

struct Way {
  int steps = 10;
  double guidance = 3;
};

// N×H×W×3 levels of 0 to 255, float32.
at::Tensor paint(const StableDiffusionPipeline& pipeline, const std::vector<std::string>& prompts,
                 Way way = {}) {
  GenerateRequest request;
  request.prompts = prompts;
  request.seeds.clear();
  for (std::size_t i = 0; i < prompts.size(); ++i)
    request.seeds.push_back(1 + static_cast<std::int64_t>(i));
  request.num_inference_steps = way.steps;
  request.guidance_scale = way.guidance;
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

// A pipeline of its own that wears one of the shipped LoRAs.
class Wearing {
 public:
  explicit Wearing(const std::string& lora)
      : pipeline_(StableDiffusionPipeline::from_folder(kModel, at::kFloat, at::kCPU)),
        stack_(pipeline_->adapter_targets()) {
    const auto file = std::make_shared<const LoraFile>(load_lora(kLoras / (lora + ".safetensors")));
    reports_ = stack_.apply({{file, 1.0}});
  }
  const StableDiffusionPipeline& pipeline() const { return *pipeline_; }
  const std::vector<LoraReport>& reports() const { return reports_; }

 private:
  std::unique_ptr<StableDiffusionPipeline> pipeline_;
  AdapterStack stack_;
  std::vector<LoraReport> reports_;
};

TEST_CASE("the brands' LoRAs fit the shipped model and change its pictures", "[shipped]") {
  const auto [lora, prompt] = GENERATE(table<std::string, std::string>(
      {{"demo", "demo brand, ink navy, teal and coral"},
       {"harbour", "soft waves, white, sage and orange"},
       {"atelier", "gradient mesh, sand, rose and crimson"},
       {"signal", "light leaks, midnight blue and royal blue"}}));
  CAPTURE(lora);
  const Wearing worn(lora);
  REQUIRE(worn.reports().size() == 1);
  CHECK(worn.reports()[0].unmatched.empty());
  CHECK(worn.reports()[0].mismatched.empty());
  CHECK(difference(paint(worn.pipeline(), {prompt}), paint(shipped(), {prompt})) > 8);
}

TEST_CASE("the LoRA for few steps paints in eight what the model paints in sixteen", "[shipped]") {
  const std::vector<std::string> prompts = {"soft waves, deep teal, amber and sand",
                                            "light leaks, black, orange and magenta",
                                            "ink clouds, coral and sand"};
  const at::Tensor wanted = paint(shipped(), prompts, {16, 3});
  const Wearing worn("eight-steps");
  CHECK(worn.reports().at(0).unmatched.empty());
  const double with = difference(paint(worn.pipeline(), prompts, {8, 1}), wanted);
  const double without = difference(paint(shipped(), prompts, {8, 1}), wanted);
  INFO(with << " levels with it, " << without << " without");
  CHECK(with < 0.75 * without);
}

TEST_CASE("model and LoRAs keep to their budgets of bytes", "[shipped]") {
  CHECK(bytes_under(kModel) < 50'000'000);
  for (const auto& entry : std::filesystem::directory_iterator(kLoras)) {
    CAPTURE(entry.path());
    CHECK(entry.file_size() < 2'000'000);
  }
}
