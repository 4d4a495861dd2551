// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/prompt_encoding.h"

#include <map>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/stable_diffusion.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

const StableDiffusionPipeline& pipeline(const std::string& model) {
  static std::map<std::string, std::unique_ptr<StableDiffusionPipeline>> loaded;
  auto& one = loaded[model];
  if (!one) {
    one = StableDiffusionPipeline::from_folder(golden("models/" + model), at::kFloat, at::kCPU);
  }
  return *one;
}

std::vector<std::string> warnings_of(const std::string& model, const GenerateRequest& request) {
  std::vector<std::string> warnings;
  encode_prompts(pipeline(model).components(), request, true, at::kCPU, warnings);
  return warnings;
}

PromptEmbeds encode(const std::string& model, const GenerateRequest& request, bool guided = true) {
  std::vector<std::string> warnings;
  return encode_prompts(pipeline(model).components(), request, guided, at::kCPU, warnings);
}

GenerateRequest asking(const std::string& prompt, const std::string& negative) {
  GenerateRequest request;
  request.prompts = {prompt};
  request.negative_prompts = {negative};
  request.num_inference_steps = 2;
  request.height = request.width = 64;
  return request;
}

std::string words(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += i % 3 == 0 ? "house " : "a sky ";
  return text;
}

bool is_zero(const at::Tensor& tensor) {
  return at::equal(tensor, at::zeros_like(tensor));
}

// The same in every tensor, bit by bit.
void check_equal(const PromptEmbeds& a, const PromptEmbeds& b) {
  CHECK(at::equal(a.prompt_embeds, b.prompt_embeds));
  CHECK(at::equal(a.negative_prompt_embeds, b.negative_prompt_embeds));
  REQUIRE(a.pooled_prompt_embeds.defined() == b.pooled_prompt_embeds.defined());
  if (!a.pooled_prompt_embeds.defined()) return;
  CHECK(at::equal(a.pooled_prompt_embeds, b.pooled_prompt_embeds));
  CHECK(at::equal(a.negative_pooled_prompt_embeds, b.negative_pooled_prompt_embeds));
}

GenerateRequest request_of(const Json& item) {
  GenerateRequest request = asking(item["prompt"], "");
  if (item["negative_prompt"].is_null()) {
    request.negative_prompts.clear();
  } else {
    request.negative_prompts = {item["negative_prompt"]};
  }
  if (item.contains("prompt_2")) request.prompts_2 = {item["prompt_2"]};
  if (item.contains("clip_skip")) request.clip_skip = item["clip_skip"].get<int>();
  request.long_prompts = item["long_prompts"];
  if (item["prompt_weighting"] == "a1111") request.prompt_weighting = PromptWeighting::A1111;
  return request;
}

}  // namespace

TEST_CASE("weighted and long prompts are encoded as an independent program encodes them") {
  const Json cases = golden_json("prompts/encodings.json");
  const StateDict expected = load_safetensors(golden("prompts/encodings.safetensors"));
  REQUIRE(cases.size() == 7);
  for (const Json& item : cases) {
    const std::string name = item["name"];
    INFO(name);
    const PromptEmbeds embeds = encode(item["model"], request_of(item));
    REQUIRE(embeds.prompt_embeds.size(1) == 77 * item["chunks"].get<std::int64_t>());
    const auto near = [&](const at::Tensor& found, const std::string& key, bool rows) {
      const auto wanted = expected.find(name + "." + key);
      if (wanted == expected.end()) return;
      CHECK(distance(rows ? found.slice(1, 0, c10::nullopt, 11) : found, wanted->second) < 2e-5);
    };
    REQUIRE(expected.contains(name + ".prompt_embeds"));
    near(embeds.prompt_embeds, "prompt_embeds", true);
    near(embeds.negative_prompt_embeds, "negative_prompt_embeds", true);
    near(embeds.pooled_prompt_embeds, "pooled", false);
    near(embeds.negative_pooled_prompt_embeds, "negative_pooled", false);
  }
}

TEST_CASE("a short prompt without brackets is the same with every prompt option, bit by bit") {
  for (const std::string model : {"sd15", "sd21", "sdxl"}) {
    INFO(model);
    GenerateRequest request = asking("a house, by the sea!", "mud");
    const PromptEmbeds plain = encode(model, request);
    request.prompt_weighting = PromptWeighting::A1111;
    check_equal(encode(model, request), plain);
    request.long_prompts = true;
    check_equal(encode(model, request), plain);
    request.prompt_weighting = PromptWeighting::None;
    check_equal(encode(model, request), plain);
  }
}

TEST_CASE("brackets are text unless weights are asked for") {
  const GenerateRequest plain = asking("a (house:1.5)", "");
  GenerateRequest weighted = plain;
  weighted.prompt_weighting = PromptWeighting::A1111;
  CHECK_FALSE(
      at::equal(encode("sd15", plain).prompt_embeds, encode("sd15", weighted).prompt_embeds));
  CHECK(at::equal(encode("sd15", plain).negative_prompt_embeds,
                  encode("sd15", weighted).negative_prompt_embeds));
}

TEST_CASE("a long prompt makes a picture with both text encoders") {
  for (const std::string model : {"sd15", "sdxl"}) {
    GenerateRequest request = asking(words(120), "mud");
    request.long_prompts = true;
    const Generation result = pipeline(model).generate(request);
    CHECK(result.prompt_embeds.size(1) > 77);
    CHECK(result.prompt_embeds.size(1) == result.negative_prompt_embeds.size(1));
    CHECK(result.warnings.empty());
    CHECK(at::isfinite(result.latents).all().item<bool>());
  }
}

TEST_CASE("a picture does not depend on how long its neighbours' prompts are") {
  GenerateRequest request = asking("a (house:1.3)", "mud");
  request.long_prompts = true;
  request.prompt_weighting = PromptWeighting::A1111;
  request.seeds = {3};
  request.guidance_scale = 5;
  const at::Tensor alone = pipeline("sd15").generate(request).latents[0];
  request.prompts = {"a (house:1.3)", words(60), words(120)};
  request.negative_prompts = {"mud", "mud", words(10)};
  request.seeds = {3, 4, 5};
  const Generation together = pipeline("sd15").generate(request);
  CHECK(together.prompt_embeds.size(1) % 77 == 0);
  CHECK(together.prompt_embeds.size(1) > 77);
  CHECK(distance(together.latents[0], alone) < 1e-3);
}

TEST_CASE("prompts of very different lengths in one request are refused") {
  GenerateRequest request = asking("", "");
  request.long_prompts = true;
  const std::string chunk = "a BREAK ";
  request.prompts.clear();
  for (const int chunks : {7, 8, 9}) {
    std::string prompt = "a";
    for (int i = 1; i < chunks; ++i) prompt = chunk + prompt;
    request.prompts.push_back(prompt);
  }
  CHECK_THROWS_AS(encode("sd15", request), Error);
  request.prompts.resize(2);
  CHECK(encode("sd15", request).prompt_embeds.size(1) == 77 * 56);
}

TEST_CASE("what a prompt loses is said once") {
  GenerateRequest request = asking(words(120), "");
  CHECK(warnings_of("sd15", request).size() == 1);
  CHECK(warnings_of("sdxl", request).size() == 1);
  request.prompt_weighting = PromptWeighting::A1111;
  CHECK(warnings_of("sd15", request).size() == 1);
  request.prompts = {"a BREAK b"};
  CHECK(warnings_of("sd15", request).size() == 1);
  request.long_prompts = true;
  CHECK(warnings_of("sd15", request).empty());
  request.prompts = {words(120)};
  CHECK(warnings_of("sd15", request).empty());
}

TEST_CASE("diffusers' empty negative prompt is zeros when missing and text when empty") {
  GenerateRequest request = asking("a house", "");
  const PromptEmbeds text = encode("sdxl", request);
  CHECK_FALSE(is_zero(text.negative_prompt_embeds));
  CHECK_FALSE(is_zero(text.negative_pooled_prompt_embeds));
  request.negative_prompts.clear();
  const PromptEmbeds missing = encode("sdxl", request);
  CHECK(is_zero(missing.negative_prompt_embeds));
  CHECK(is_zero(missing.negative_pooled_prompt_embeds));
  CHECK(missing.negative_prompt_embeds.sizes() == missing.prompt_embeds.sizes());
  // The models of one text encoder know no zeros.
  CHECK_FALSE(is_zero(encode("sd15", request).negative_prompt_embeds));
}

TEST_CASE("an empty negative prompt may always be encoded") {
  GenerateRequest request = asking("a house", "");
  const PromptEmbeds text = encode("sdxl", request);
  request.empty_negative = EmptyNegative::Encoded;
  check_equal(encode("sdxl", request), text);
  request.negative_prompts.clear();
  check_equal(encode("sdxl", request), text);
}

TEST_CASE("an empty negative prompt may always be zeros, and a full one never") {
  GenerateRequest request = asking("a house", "");
  request.empty_negative = EmptyNegative::Zeros;
  CHECK(is_zero(encode("sdxl", request).negative_prompt_embeds));
  CHECK(is_zero(encode("sdxl", request).negative_pooled_prompt_embeds));
  request.negative_prompts.clear();
  CHECK(is_zero(encode("sdxl", request).negative_prompt_embeds));
  request.prompts = {"a house", "a house"};
  request.negative_prompts = {"mud", ""};
  const PromptEmbeds both = encode("sdxl", request);
  CHECK_FALSE(is_zero(both.negative_prompt_embeds[0]));
  CHECK_FALSE(is_zero(both.negative_pooled_prompt_embeds[0]));
  CHECK(is_zero(both.negative_prompt_embeds[1]));
  CHECK(is_zero(both.negative_pooled_prompt_embeds[1]));
}

TEST_CASE("an empty second prompt means the first one") {
  GenerateRequest request = asking("a house", "mud");
  const PromptEmbeds plain = encode("sdxl", request);
  request.prompts_2 = {""};
  request.negative_prompts_2 = {""};
  check_equal(encode("sdxl", request), plain);
  request.prompts_2 = {"a sky"};
  CHECK_FALSE(at::equal(encode("sdxl", request).prompt_embeds, plain.prompt_embeds));
}
