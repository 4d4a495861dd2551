// SPDX-License-Identifier: Apache-2.0
// Stable Diffusion 3 and Flux against diffusers, on tiny models.
#include "diffusion/pipelines/transformer_pipeline.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/lora/lora_file.h"
#include "diffusion/pipelines/request_json.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

ModelFiles model(const std::string& name) {
  ModelFiles files;
  files.model = golden("models-next/" + name);
  return files;
}

std::unique_ptr<Pipeline> load(const std::string& name, at::ScalarType dtype = at::kFloat) {
  return load_pipeline(model(name), dtype, at::kCPU);
}

// A golden case's request; what describes the case is left out.
GenerateRequest request_of(const std::string& name) {
  Json json = golden_json("pipelines-next/" + name + ".json");
  for (const char* key :
       {"name", "measured_deviation", "largest_latent", "image_std", "tensors", "model"}) {
    json.erase(key);
  }
  return read_request(json, "", name).request;
}

GenerateRequest tiny(const std::string& prompt) {
  GenerateRequest request;
  request.prompts = {prompt};
  request.width = request.height = 32;
  request.num_inference_steps = 1;
  request.max_sequence_length = 8;
  return request;
}

std::string refusal(const Pipeline& pipeline, const GenerateRequest& request) {
  try {
    pipeline.generate(request);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::Usage);
    return error.what();
  }
  return "";
}

void compare(const Pipeline& pipeline, const std::string& name) {
  INFO(name);
  const StateDict expected = load_safetensors(golden("pipelines-next/" + name + ".safetensors"));
  const Generation made = pipeline.generate(request_of(name));
  const std::pair<const char*, at::Tensor> tensors[] = {
      {"latents.initial", made.initial},
      {"latents", made.latents},
      {"prompt_embeds", made.prompt_embeds},
      {"negative_prompt_embeds", made.negative_prompt_embeds},
      {"pooled_prompt_embeds", made.pooled_prompt_embeds},
      {"negative_pooled_prompt_embeds", made.negative_pooled_prompt_embeds}};
  for (const auto& [key, tensor] : tensors) {
    INFO(key);
    CHECK(tensor.defined() == expected.contains(key));
    if (tensor.defined()) CHECK(distance(tensor, expected.at(key)) < kTolerance);
  }
  CHECK(distance(made.timesteps, expected.at("timesteps")) < 1e-3);
  CHECK(distance(made.images, expected.at("png")) <= 1);
}

}  // namespace

TEST_CASE("pictures of Stable Diffusion 3 are those of diffusers") {
  const auto pipeline = load("sd3");
  compare(*pipeline, "sd3_2");
  compare(*pipeline, "sd3_3");
}

TEST_CASE("pictures of Flux are those of diffusers") {
  const auto pipeline = load("flux");
  compare(*pipeline, "flux_0");
  compare(*pipeline, "flux_1");
}

TEST_CASE("a picture of a batch with seeds of its own is that which it is alone") {
  for (const char* name : {"sd3", "flux"}) {
    INFO(name);
    const auto pipeline = load(name);
    GenerateRequest both = tiny("a cat");
    both.prompts = {"a cat", "a dog"};
    both.seeds = {7, 8};
    GenerateRequest second = tiny("a dog");
    second.seeds = {8};
    const at::Tensor together = pipeline->generate(both).latents;
    CHECK(distance(together.slice(0, 1), pipeline->generate(second).latents) < 1e-5);
  }
}

TEST_CASE("what transformers do not do is refused by its name") {
  const auto sd3 = load("sd3"), flux = load("flux");
  for (const Pipeline* pipeline : {sd3.get(), flux.get()}) {
    GenerateRequest request = tiny("x");
    request.image = Image{8, 8, 3, {}};
    CHECK(refusal(*pipeline, request).find("image") == 0);
    request = tiny("x");
    request.task = "inpaint";
    CHECK(refusal(*pipeline, request).find("task") == 0);
    request = tiny("x");
    request.eta = 1;
    CHECK(refusal(*pipeline, request).find("eta") == 0);
    request = tiny("x");
    request.max_sequence_length = 513;
    CHECK(refusal(*pipeline, request).find("max_sequence_length 513") == 0);
    request = tiny("x");
    request.scheduler = "DDIMScheduler";
    CHECK(refusal(*pipeline, request).find("DDIMScheduler") != std::string::npos);
  }
  GenerateRequest request = tiny("x");
  request.height = 40;
  CHECK(refusal(*sd3, request).find("height 40") == 0);
  request = tiny("x");
  request.clip_skip = 1;
  CHECK(refusal(*flux, request).find("clip_skip") == 0);
  request.clip_skip = 9;
  CHECK(refusal(*sd3, request).find("clip_skip") == 0);
  ModelFiles files = model("sd3");
  files.vae = golden("models-next/flux/vae");
  CHECK_THROWS_AS(load_pipeline(files, at::kFloat, at::kCPU), Error);
  CHECK_THROWS_AS(sd3->apply_textual_inversions({{"x.pt", ""}}), Error);
  CHECK(sd3->apply_textual_inversions({}).empty());
  AdapterStack stack(flux->adapter_targets());
  CHECK(stack.apply({}).empty());
  CHECK_THROWS_AS(stack.apply({{std::make_shared<const LoraFile>(), 1.0}}), Error);
}

TEST_CASE("Flux cuts odd sizes and says what it does not read") {
  const auto pipeline = load("flux");
  GenerateRequest request = tiny("a cat");
  request.height = 47;
  request.negative_prompts = {"blurry"};
  const Generation made = pipeline->generate(request);
  CHECK(made.images.size(1) == 32);
  CHECK(made.warnings.size() == 2);
}

TEST_CASE("transformers run in half precision") {
  for (const char* name : {"sd3", "flux"}) {
    INFO(name);
    const at::Tensor latents = load(name)->generate(tiny("a cat")).latents;
    for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
      CHECK(load(name, dtype)->generate(tiny("a cat")).latents.sizes() == latents.sizes());
    }
  }
}

TEST_CASE("generation with a transformer stops before the next step") {
  int asked = 0;
  Watch watch;
  watch.cancelled = [&] { return ++asked == 2; };
  GenerateRequest request = tiny("a cat");
  request.num_inference_steps = 3;
  try {
    load("sd3")->generate(request, watch);
    FAIL("not stopped");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::Cancelled);
  }
}
