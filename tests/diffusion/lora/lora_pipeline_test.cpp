// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/stable_diffusion.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-3;

GenerateRequest reference_request() {
  const Json item = golden_json("lora/sd15_expected.json");
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

struct Case {
  std::string name;
  std::vector<std::pair<std::string, double>> files;
};

}  // namespace

TEST_CASE("pictures with LoRA are those of the reference, and without it those of the base again") {
  const auto pipeline =
      StableDiffusionPipeline::from_folder(golden("models/sd15"), at::kFloat, at::kCPU);
  AdapterStack stack({{"unet", {"lora_unet"}, &pipeline->components().unet->parameters()},
                      {"text_encoder",
                       {"lora_te", "lora_te1"},
                       &pipeline->components().text_encoder->parameters()}});
  const StateDict expected = load_safetensors(golden("lora/sd15_expected.safetensors"));
  const GenerateRequest request = reference_request();
  const at::Tensor base = pipeline->generate(request).latents;
  CHECK(distance(base, expected.at("base.latents")) < kTolerance);
  const std::vector<Case> cases = {
      {"kohya@1.0", {{"kohya", 1.0}}},
      {"kohya@0.6", {{"kohya", 0.6}}},
      {"peft@1.0", {{"peft", 1.0}}},
      {"attn_kohya@1.0", {{"attn_kohya", 1.0}}},
      {"attn_peft@1.0", {{"attn_peft", 1.0}}},
      {"kohya_second@1.0", {{"kohya_second", 1.0}}},
      {"kohya+kohya_second@0.7,0.5", {{"kohya", 0.7}, {"kohya_second", 0.5}}}};
  for (const Case& item : cases) {
    INFO(item.name);
    std::vector<LoraUse> uses;
    for (const auto& [name, weight] : item.files) {
      uses.push_back(
          {std::make_shared<LoraFile>(load_lora(golden("lora/sd15_" + name + ".safetensors"))),
           weight});
    }
    for (const LoraReport& report : stack.apply(uses)) CHECK(report.unmatched.empty());
    const Generation result = pipeline->generate(request);
    CHECK(distance(result.latents, expected.at(item.name + ".latents")) < kTolerance);
    CHECK(distance(result.prompt_embeds, expected.at(item.name + ".prompt_embeds")) < kTolerance);
  }
  stack.remove();
  CHECK(at::equal(pipeline->generate(request).latents, base));
}
