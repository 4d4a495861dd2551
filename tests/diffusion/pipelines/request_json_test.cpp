// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_json.h"

#include "base/error.h"
#include "base/json.h"
#include "catch.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

std::string refusal(const std::string& text) {
  try {
    read_request(parse_json(text, "r.json"), "folder", "r.json");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a request file takes diffusers' names") {
  const Json json = parse_json(R"({"task": "txt2img", "model": "m/sd15", "prompt": ["a", "b"],
      "negative_prompt": null, "seed": [1, 2], "num_inference_steps": 4, "guidance_scale": 3,
      "clip_skip": 1, "eta": 0.5, "lora": [{"file": "x.safetensors", "weight": 0.5, "dora_scale": true}],
      "scheduler": "DDIMScheduler", "scheduler_config": {"clip_sample": false}})",
                               "r.json");
  const RequestFile file = read_request(json, "folder", "r.json");
  CHECK(file.model == "folder/m/sd15");
  CHECK(file.has_prompt);
  CHECK(file.request.prompts == std::vector<std::string>{"a", "b"});
  CHECK(file.request.negative_prompts.empty());
  CHECK(file.request.seeds == std::vector<std::int64_t>{1, 2});
  CHECK(file.request.guidance_scale == 3);
  CHECK(file.request.clip_skip == 1);
  REQUIRE(file.loras.size() == 1);
  CHECK(file.loras[0].file == "folder/x.safetensors");
  CHECK(file.loras[0].weight == 0.5);
  CHECK(file.loras[0].dora_scale);
  CHECK(read_request(Json{{"model", "/m"}}, "folder", "r").model == "/m");
}

TEST_CASE("a request file with an unknown or a later key is refused by that key") {
  CHECK(refusal(R"({"promt": "a"})").find("did you mean 'prompt'") != std::string::npos);
  CHECK(refusal(R"({"strength": 0.5})").find("image-to-image") != std::string::npos);
  CHECK(refusal(R"({"task": "img2img"})").find("txt2img") != std::string::npos);
  CHECK(refusal(R"({"controlnet": "c"})").find("ControlNet") != std::string::npos);
  CHECK(refusal(R"({"height": "64"})").find("whole number") != std::string::npos);
  CHECK(refusal(R"({"lora": [{"file": "x", "dora_scale": 1}]})").find("dora_scale") !=
        std::string::npos);
  CHECK(refusal(R"({"lora": [{"file": "x", "wieght": 1}]})").find("weight") != std::string::npos);
  CHECK(refusal("[]").find("object") != std::string::npos);
  CHECK(refusal(R"({"controlnet": null})").empty());
}

TEST_CASE("a LoRA's weight follows its file name") {
  CHECK(parse_lora_choice("a/b.safetensors").weight == 1.0);
  CHECK(parse_lora_choice("a/b.safetensors:0.6").weight == 0.6);
  CHECK(parse_lora_choice("a/b.safetensors:-1").file == "a/b.safetensors");
  CHECK(parse_lora_choice("a:b/c.safetensors").file == "a:b/c.safetensors");
  CHECK_THROWS_AS(parse_lora_choice("b.safetensors:strong"), Error);
}
