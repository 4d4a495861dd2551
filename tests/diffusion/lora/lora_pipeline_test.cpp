// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/adapter_targets.h"
#include "diffusion/pipelines/stable_diffusion.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-3;

GenerateRequest reference_request(const std::string& model) {
  const Json item = golden_json("lora/" + model + "_expected.json");
  GenerateRequest request;
  request.prompts = {item["prompt"].get<std::string>()};
  request.negative_prompts = {item["negative_prompt"].get<std::string>()};
  request.seeds = {item["seed"].get<std::int64_t>()};
  request.num_inference_steps = item["num_inference_steps"];
  request.guidance_scale = item["guidance_scale"];
  request.height = item["height"];
  request.width = item["width"];
  request.scheduler = item["scheduler"];
  request.scheduler_config = item["scheduler_config"];
  return request;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// "kohya+kohya_second@0.7,0.5"
std::vector<LoraUse> uses_of(const std::string& model, const std::string& name) {
  const std::size_t at = name.find('@');
  const std::vector<std::string> files = split(name.substr(0, at), '+');
  const std::vector<std::string> weights = split(name.substr(at + 1), ',');
  std::vector<LoraUse> uses;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto path = golden("lora/" + model + "_" + files[i] + ".safetensors");
    uses.push_back({std::make_shared<LoraFile>(load_lora(path)), std::stod(weights.at(i))});
  }
  return uses;
}

// Every case of the reference with one model. Returns their number.
int check_every_adapter(const std::string& model) {
  const auto pipeline =
      StableDiffusionPipeline::from_folder(golden("models/" + model), at::kFloat, at::kCPU);
  AdapterStack stack(adapter_targets(pipeline->components()));
  const StateDict expected = load_safetensors(golden("lora/" + model + "_expected.safetensors"));
  const GenerateRequest request = reference_request(model);
  const at::Tensor base = pipeline->generate(request).latents;
  CHECK(distance(base, expected.at("base.latents")) < kTolerance);
  int cases = 0;
  constexpr std::string_view kLatents = ".latents";
  for (const auto& [key, latents] : expected) {
    if (!key.ends_with(kLatents) || key.find('@') == std::string::npos) continue;
    const std::string name = key.substr(0, key.size() - kLatents.size());
    INFO(model << " " << name);
    for (const LoraReport& report : stack.apply(uses_of(model, name))) {
      CHECK(report.unmatched.empty());
      CHECK(report.mismatched.empty());
    }
    const Generation result = pipeline->generate(request);
    CHECK(distance(result.latents, latents) < kTolerance);
    // The reference must differ from the base by more than the tolerance for this to say anything.
    CHECK(distance(latents, base) > 0.1);
    if (const auto embeds = expected.find(name + ".prompt_embeds"); embeds != expected.end()) {
      CHECK(distance(result.prompt_embeds, embeds->second) < kTolerance);
    }
    if (const auto pooled = expected.find(name + ".pooled_prompt_embeds");
        pooled != expected.end()) {
      CHECK(distance(result.pooled_prompt_embeds, pooled->second) < kTolerance);
    }
    ++cases;
  }
  stack.remove();
  CHECK(at::equal(pipeline->generate(request).latents, base));
  return cases;
}

}  // namespace

TEST_CASE(
    "pictures with LoRA are those of the reference in every format, and without it the base") {
  CHECK(check_every_adapter("sd15") == 16);
}

TEST_CASE("pictures of SDXL with LoRA are those of the reference in every format and naming") {
  CHECK(check_every_adapter("sdxl") == 17);
}
