// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/textual_inversions.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr CheckpointOptions kPickles{true};

std::filesystem::path inversion(const std::string& name) {
  return golden("textual_inversion") / name;
}

std::unique_ptr<StableDiffusionPipeline> load(const std::string& model) {
  return StableDiffusionPipeline::from_folder(golden("models/" + model), at::kFloat, at::kCPU);
}

GenerateRequest request_of(const Json& item) {
  GenerateRequest request;
  request.prompts = {item["prompt"]};
  request.negative_prompts = {item["negative_prompt"]};
  request.seeds = {item["seed"].get<std::int64_t>()};
  request.num_inference_steps = item["num_inference_steps"];
  request.guidance_scale = item["guidance_scale"];
  request.height = item["height"];
  request.width = item["width"];
  request.scheduler = item["scheduler"];
  request.scheduler_config = item["scheduler_config"];
  return request;
}

void compare(const Generation& result, const StateDict& expected) {
  CHECK(distance(result.prompt_embeds, expected.at("prompt_embeds")) < 2e-5);
  CHECK(distance(result.negative_prompt_embeds, expected.at("negative_prompt_embeds")) < 2e-5);
  CHECK(distance(result.latents, expected.at("latents")[0]) < 1e-3);
  if (!expected.contains("pooled_prompt_embeds")) return;
  CHECK(distance(result.pooled_prompt_embeds, expected.at("pooled_prompt_embeds")) < 2e-5);
  CHECK(distance(result.negative_pooled_prompt_embeds,
                 expected.at("negative_pooled_prompt_embeds")) < 2e-5);
}

std::vector<std::int64_t> ids_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), tensor.data_ptr<std::int64_t>() + tensor.numel()};
}

std::string refusal(StableDiffusionPipeline& pipeline,
                    const std::vector<TextualInversionChoice>& choices) {
  try {
    apply_textual_inversions(pipeline.components(), choices, kPickles);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("words of textual inversion make the picture that diffusers makes") {
  const Json item = golden_json("textual_inversion/sd15.json");
  const StateDict expected = load_safetensors(inversion("sd15.safetensors"));
  const auto pipeline = load("sd15");
  const GenerateRequest request = request_of(item);
  const at::Tensor before = pipeline->generate(request).latents;
  const std::vector<std::vector<TextualInversionChoice>> ways = {
      {{inversion("learned_embeds.safetensors"), ""}, {inversion("moss-style.pt"), ""}},
      {{inversion("learned_embeds.bin"), ""}, {inversion("emb_params.safetensors"), "moss-style"}}};
  for (const auto& choices : ways) {
    CHECK(apply_textual_inversions(pipeline->components(), choices, kPickles).empty());
    const CLIPTokenizer& tokenizer = pipeline->components().tokenizer;
    CHECK(tokenizer.encode(request.prompts[0]) == ids_of(expected.at("input_ids")));
    CHECK(tokenizer.encode(request.negative_prompts[0]) ==
          ids_of(expected.at("negative_input_ids")));
    compare(pipeline->generate(request), expected);
  }
  apply_textual_inversions(pipeline->components(), {});
  CHECK(at::equal(pipeline->generate(request).latents, before));
}

TEST_CASE("a word of Stable Diffusion XL has vectors in both text encoders") {
  const Json item = golden_json("textual_inversion/sdxl.json");
  const auto pipeline = load("sdxl");
  const GenerateRequest request = request_of(item);
  const at::Tensor before = pipeline->generate(request).latents;
  apply_textual_inversions(pipeline->components(),
                           {{inversion("sdxl_clip_l_g.safetensors"), "<duo>"}});
  compare(pipeline->generate(request), load_safetensors(inversion("sdxl.safetensors")));
  apply_textual_inversions(pipeline->components(), {});
  CHECK(at::equal(pipeline->generate(request).latents, before));
}

TEST_CASE("a word for one of two text encoders is used there, with a warning") {
  const test::TemporaryFolder folder;
  save_safetensors(folder / "one.safetensors", {{"<one>", at::ones({24})}});
  const auto pipeline = load("sdxl");
  const auto warnings =
      apply_textual_inversions(pipeline->components(), {{folder / "one.safetensors", ""}});
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("<one>") != std::string::npos);
  CHECK(pipeline->components().tokenizer.added().size() == 1);
  CHECK(pipeline->components().tokenizer_2->added().empty());
}

TEST_CASE("textual inversion of another family is refused, and leaves the model as it was loaded") {
  const test::TemporaryFolder folder;
  save_safetensors(folder / "wide.safetensors", {{"<wide>", at::ones({768})}});
  const auto sd15 = load("sd15");
  const std::string wide = refusal(
      *sd15, {{inversion("learned_embeds.safetensors"), ""}, {folder / "wide.safetensors", ""}});
  INFO(wide);
  CHECK(wide.find("wide.safetensors") != std::string::npos);
  CHECK(wide.find("width 32") != std::string::npos);
  CHECK(wide.find("768 (Stable Diffusion 1.x") != std::string::npos);
  CHECK(sd15->components().tokenizer.added().empty());
  CHECK(refusal(*load("sd21"), {{inversion("moss-style.pt"), ""}}).find("width 24") !=
        std::string::npos);
  // SDXL's file names both encoders, which the other model has not.
  save_safetensors(folder / "two.safetensors",
                   {{"clip_l", at::ones({32})}, {"clip_g", at::ones({40})}});
  CHECK(refusal(*sd15, {{folder / "two.safetensors", ""}}).find("Stable Diffusion XL") !=
        std::string::npos);
}

TEST_CASE("words of textual inversion must be new to the tokenizer") {
  const auto sd15 = load("sd15");
  const auto file = inversion("learned_embeds.safetensors");
  CHECK(refusal(*sd15, {{file, "cat"}}).find("\"cat\"") != std::string::npos);
  CHECK(refusal(*sd15, {{file, ""}, {file, ""}}).find("<wobble>") != std::string::npos);
  CHECK(refusal(*sd15, {{file, ""}, {file, "<second>"}}).empty());
  CHECK(sd15->components().tokenizer.added().size() == 2);
}

TEST_CASE("a word whose vectors are not all used is reported") {
  const auto sd15 = load("sd15");
  const auto file = inversion("emb_params.safetensors");
  GenerateRequest request = request_of(golden_json("textual_inversion/sd15.json"));
  request.prompts = {"a Moss, moss"};
  request.negative_prompts = {"moss"};
  apply_textual_inversions(sd15->components(), {{file, "moss"}});
  CHECK(sd15->generate(request).warnings.size() == 1);
  request.prompts = {"a moss"};
  CHECK(sd15->generate(request).warnings.empty());
  apply_textual_inversions(sd15->components(), {{file, "Moss"}});
  CHECK(sd15->generate(request).warnings.size() == 2);
}

TEST_CASE("a request names textual inversions as paths, as pairs or by token") {
  const auto read = [](const char* text) {
    return read_textual_inversions(parse_json(text, "test"), "folder", "test");
  };
  const auto list = read(R"(["a.pt", {"file": "b.pt", "token": "<b>"}, {"file": "/c.pt"}])");
  REQUIRE(list.size() == 3);
  CHECK(list[0].file == "folder/a.pt");
  CHECK(list[0].token.empty());
  CHECK(list[1].file == "folder/b.pt");
  CHECK(list[1].token == "<b>");
  CHECK(list[2].file == "/c.pt");
  const auto object = read(R"({"<a>": "a.pt"})");
  REQUIRE(object.size() == 1);
  CHECK(object[0].file == "folder/a.pt");
  CHECK(object[0].token == "<a>");
  for (const char* bad :
       {"1", "\"a.pt\"", "[1]", "[\"\"]", "[{}]", R"([{"token": "a"}])", R"([{"file": 1}])",
        R"([{"file": "a", "weight": 1}])", R"({"<a>": ["a.pt"]})"}) {
    INFO(bad);
    CHECK_THROWS_AS(read(bad), Error);
  }
}
