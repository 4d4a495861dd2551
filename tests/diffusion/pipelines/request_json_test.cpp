// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_json.h"

#include "base/error.h"
#include "base/files.h"
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
  CHECK(file.files.model == "folder/m/sd15");
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
  CHECK(read_request(Json{{"model", "/m"}}, "folder", "r").files.model == "/m");
}

TEST_CASE("a request file takes what the tasks need") {
  const Json json = parse_json(R"({"task": "controlnet_img2img", "prompt": "a", "image": "i.png",
      "strength": 0.4, "controlnet": ["c", "d"], "control": ["e.png", "f.png"],
      "controlnet_conditioning_scale": [0.8, 0.4], "control_guidance_end": 0.5,
      "control_preprocessor": ["canny", "none"], "guess_mode": true,
      "original_size": [512, 768], "empty_negative_prompt": "zeros", "vae": "taesd",
      "prompt_weighting": "a1111", "long_prompts": true,
      "textual_inversion": {"<w>": "w.safetensors"},
      "outpaint": {"left": 8, "overlap": 4}, "hires": {"scale": 1.5, "upscaler": "latent"}})",
                               "r.json");
  const RequestFile file = read_request(json, "folder", "r.json");
  CHECK(file.pictures.image == "folder/i.png");
  CHECK(file.pictures.controls[1] == "folder/f.png");
  CHECK(file.pictures.canny == std::vector<bool>{true, false});
  CHECK(file.files.controlnets[0] == "folder/c");
  CHECK(file.files.vae == "folder/taesd");
  CHECK(file.request.prompt_weighting == PromptWeighting::A1111);
  CHECK(file.request.long_prompts);
  REQUIRE(file.textual_inversions.size() == 1);
  CHECK(file.textual_inversions[0].file == "folder/w.safetensors");
  CHECK(file.textual_inversions[0].token == "<w>");
  REQUIRE(file.request.controls.size() == 2);
  CHECK(file.request.controls[1].conditioning_scale == 0.4);
  CHECK(file.request.controls[1].guidance_end == 0.5);
  CHECK(file.request.strength == 0.4);
  CHECK(file.request.guess_mode);
  CHECK(file.request.micro.original_size == Size{512, 768});
  CHECK(file.request.empty_negative == EmptyNegative::Zeros);
  CHECK(file.request.outpaint->left == 8);
  CHECK(file.request.hires->upscaler == "latent");
}

TEST_CASE("a request file with an unknown key or value is refused by that key") {
  CHECK(refusal(R"({"promt": "a"})").find("did you mean 'prompt'") != std::string::npos);
  CHECK(refusal(R"({"strength": "much"})").find("a number") != std::string::npos);
  CHECK(refusal(R"({"controlnet": "c"})").find("found 0 and 1") != std::string::npos);
  CHECK(refusal(R"({"controlnet": ["c", "d", "e"], "control": ["c", "d", "e"],
                    "control_guidance_start": [0, 1]})")
            .find("one for each of the 3") != std::string::npos);
  CHECK(refusal(R"({"empty_negative_prompt": "maybe"})").find("encoded") != std::string::npos);
  CHECK(refusal(R"({"hires": {"size": 2}})").find("hires.size") != std::string::npos);
  CHECK(refusal(R"({"target_size": [64]})").find("height and width") != std::string::npos);
  CHECK(refusal(R"({"seed": 18446744073709551615})").find("whole number") != std::string::npos);
  CHECK(refusal(R"({"image": ""})").find("a path") != std::string::npos);
  CHECK(refusal(R"({"height": "64"})").find("whole number") != std::string::npos);
  CHECK(refusal(R"({"lora": [{"file": "x", "dora_scale": 1}]})").find("dora_scale") !=
        std::string::npos);
  CHECK(refusal(R"({"lora": [{"file": "x", "wieght": 1}]})").find("wieght") != std::string::npos);
  CHECK(refusal("[]").find("object") != std::string::npos);
  CHECK(refusal(R"({"controlnet": null})").empty());
}

TEST_CASE("a ControlNet on the command line is a model, a picture and numbers") {
  RequestFile file;
  add_control(file, "nets/canny:edges.png:0.7:0.1:0.9");
  add_control(file, "nets/depth:depth.png");
  CHECK(file.files.controlnets[0] == "nets/canny");
  CHECK(file.pictures.controls[1] == "depth.png");
  CHECK(file.request.controls[0].guidance_start == 0.1);
  CHECK_FALSE(file.request.controls[1].conditioning_scale);
  for (const char* text : {"nets", "a:b:c", "a:b:1:2", ":b", "a:b:1:0:1:2"}) {
    CHECK_THROWS_AS(add_control(file, text), Error);
  }
}

TEST_CASE("every key of a request is in docs/models.md") {
  const std::string page = read_text(std::filesystem::path(AFFICHE_SOURCE_DIR) / "docs/models.md");
  for (const std::string& key : request_keys()) {
    INFO(key);
    CHECK(page.find("`" + key + "`") != std::string::npos);
  }
}

TEST_CASE("a LoRA's weight follows its file name") {
  CHECK(parse_lora_choice("a/b.safetensors").weight == 1.0);
  CHECK(parse_lora_choice("a/b.safetensors:0.6").weight == 0.6);
  CHECK(parse_lora_choice("a/b.safetensors:-1").file == "a/b.safetensors");
  CHECK(parse_lora_choice("a:b/c.safetensors").file == "a:b/c.safetensors");
  CHECK_THROWS_AS(parse_lora_choice("b.safetensors:strong"), Error);
}
