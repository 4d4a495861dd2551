// SPDX-License-Identifier: Apache-2.0
// Pictures from a prompt, with a tiny model whose pictures diffusers has made as well.
#include "catch.h"
#include "cli/pictures.h"

using namespace affiche;
using namespace affiche::test;
using affiche::diffusion::distance;

namespace {

using Words = std::vector<std::string>;

struct Studio {
  TemporaryFolder folder;

  Answer run(Words more) const {
    Words words = {"generate", "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    Surroundings around;
    around.folder = folder.path();
    return run_program(words, around);
  }
  Answer castle(Words more) const {
    Words words = {"--model",    Golden::model("sd15"),
                   "--prompt",   "a castle on a hill",
                   "--steps",    "8",
                   "--guidance", "7.5",
                   "--width",    "64",
                   "--height",   "64",
                   "--out",      "a.png"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
};

std::string picture(const std::string& name) {
  return diffusion::golden("images/" + name + ".png").string();
}

}  // namespace

TEST_CASE("a request file gives the picture that diffusers gives") {
  const Studio studio;
  for (const char* name :
       {"sd15_two_images", "sd15_two_prompts", "sd21_rescale_zsnr", "sdxl_sizes",
        "sd15_img2img_odd", "inpaint9_crop", "controlnet_two", "upscale", "lcm_4", "sd15_taesd"}) {
    const Golden golden(name);
    write_atomically(studio.folder / "request.json", golden.request.dump());
    const Answer answer = studio.run({"--request", "request.json", "--out", "a.png", "--json"});
    INFO(name << ": " << answer.err << answer.out);
    REQUIRE(answer.code == 0);
    const Json outputs = answer.json().at("outputs");
    REQUIRE(static_cast<std::int64_t>(outputs.size()) == golden.picture_count());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      CHECK(levels_off(studio.folder / outputs[i].get<std::string>(), golden,
                       static_cast<std::int64_t>(i)) <=
            golden.tolerance.at("png_levels").get<double>());
    }
  }
}

TEST_CASE("plain options give the same picture, its latents and its timings") {
  const Studio studio;
  const Golden golden("sd15_euler");
  const Answer answer = studio.castle({"--seed", "4", "--scheduler", "EulerDiscreteScheduler",
                                       "--latents-out", "a.safetensors", "--timings"});
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  CHECK(levels_off(studio.folder / "a.png", golden) <= 1);

  const diffusion::StateDict latents = diffusion::load_safetensors(studio.folder / "a.safetensors");
  const at::Tensor steps = golden.tensors.at("latents");
  CHECK(distance(latents.at("latents"), steps[steps.size(0) - 1]) <
        golden.tolerance.at("latents").get<double>());
  CHECK(distance(latents.at("initial"), golden.tensors.at("latents.initial")) < 1e-5);
  CHECK(distance(latents.at("prompt_embeds"), golden.tensors.at("prompt_embeds")) < 2e-5);
  CHECK(latents.contains("negative_prompt_embeds"));

  const Json timings = answer.json();  // and nothing else on standard output
  for (const char* stage : {"load", "encode", "decode"}) CHECK(timings.at(stage) >= 0.0);
  CHECK(timings.at("steps").size() == 8);
  CHECK(timings.at("peak_memory_mib") > 1.0);
  CHECK(answer.err.find("step 8 of 8") != std::string::npos);
}

TEST_CASE("options for tasks give the picture of the request with the same keys") {
  const Studio studio;
  const Golden golden("inpaint4");
  Words words = {"--model",    golden.request.at("model").get<std::string>(),
                 "--prompt",   golden.request.at("prompt").get<std::string>(),
                 "--negative", golden.request.at("negative_prompt").get<std::string>(),
                 "--seed",     golden.request.at("seed").dump(),
                 "--steps",    golden.request.at("num_inference_steps").dump(),
                 "--init",     golden.request.at("image").get<std::string>(),
                 "--mask",     golden.request.at("mask").get<std::string>(),
                 "--width",    "64",
                 "--height",   "64",
                 "--out",      "a.png"};
  const Answer answer = studio.run(words);
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  CHECK(levels_off(studio.folder / "a.png", golden) <= 1);
}

TEST_CASE("a request brings words of textual inversion") {
  const Studio studio;
  const auto folder = diffusion::golden("textual_inversion");
  Json request = diffusion::golden_json("textual_inversion/sd15.json");
  for (const char* key : {"name", "pipeline", "tensors", "expanded_prompts", "files"}) {
    request.erase(key);
  }
  request["model"] = Golden::model("sd15");
  request["textual_inversion"] = {{"<wobble>", (folder / "learned_embeds.safetensors").string()},
                                  {"moss-style", (folder / "emb_params.safetensors").string()}};
  write_atomically(studio.folder / "request.json", request.dump());
  const Answer answer =
      studio.run({"--request", "request.json", "--out", "a.png", "--latents-out", "a.safetensors"});
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  const auto latents = diffusion::load_safetensors(studio.folder / "a.safetensors").at("latents");
  const auto expected = diffusion::load_safetensors(folder / "sd15.safetensors").at("latents")[0];
  CHECK(distance(latents, expected) < 1e-3);
}

TEST_CASE("a picture grows to a larger canvas and keeps its own pixels") {
  const Studio studio;
  const Answer answer =
      studio.run({"--model", Golden::model("sd15"), "--prompt", "a wall", "--steps", "2", "--init",
                  picture("init_scene_64x64"), "--outpaint", "32,0,32,0,8", "--out", "a.png"});
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  const at::Tensor made = levels(studio.folder / "a.png");
  REQUIRE(made.size(0) == 64);
  REQUIRE(made.size(1) == 128);
  const at::Tensor original = levels(picture("init_scene_64x64"));
  CHECK(distance(made.slice(1, 32 + 8, 32 + 56), original.slice(1, 8, 56)) == 0);
  CHECK(distance(made.slice(1, 0, 32), original.slice(1, 0, 32)) > 1);
}

TEST_CASE("a second pass makes the picture larger") {
  const Studio studio;
  for (const char* upscaler : {"lanczos", "latent"}) {
    const Json request = {{"model", Golden::model("sd15")},
                          {"prompt", "a wall"},
                          {"num_inference_steps", 4},
                          {"height", 32},
                          {"width", 48},
                          {"hires", {{"scale", 1.5}, {"strength", 0.5}, {"upscaler", upscaler}}}};
    write_atomically(studio.folder / "request.json", request.dump());
    const Answer answer =
        studio.run({"--request", "request.json", "--out", "a.png", "--json", "--timings"});
    INFO(answer.err);
    REQUIRE(answer.code == 0);
    CHECK(levels(studio.folder / "a.png").sizes() == at::IntArrayRef({48, 72, 3}));
    CHECK(answer.json().at("timings").at("steps").size() == 5 + 3);  // PNDM runs one more
  }
}

TEST_CASE("edges for a ControlNet are found in a picture") {
  const Studio studio;
  const std::string control =
      Golden::model("sd15-controlnet") + ":" + picture("init_scene_64x64") + ":1";
  REQUIRE(studio.castle({"--control", control}).code == 0);
  const at::Tensor plain = levels(studio.folder / "a.png");
  const Answer answer = studio.castle({"--control", control, "--canny"});
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  CHECK(distance(levels(studio.folder / "a.png"), plain) > 1);
}

TEST_CASE("each of several pictures is the one that its own seed gives alone") {
  const Studio studio;
  REQUIRE(studio.castle({"--seed", "4", "--count", "2"}).code == 0);
  CHECK_FALSE(std::filesystem::exists(studio.folder / "a.png"));
  REQUIRE(studio.castle({"--seed", "5"}).code == 0);
  CHECK(distance(levels(studio.folder / "a-1.png"), levels(studio.folder / "a.png")) <= 1);
  CHECK(distance(levels(studio.folder / "a-0.png"), levels(studio.folder / "a.png")) > 1);
}

TEST_CASE("a LoRA changes the picture by its weight, and the file says what made it") {
  const Studio studio;
  const std::string lora = diffusion::golden("lora/sd15_kohya.safetensors").string();
  REQUIRE(studio.castle({"--lora", lora + ":0"}).code == 0);
  const at::Tensor off = levels(studio.folder / "a.png");
  REQUIRE(studio.castle({}).code == 0);
  CHECK(distance(levels(studio.folder / "a.png"), off) == 0);
  REQUIRE(studio.castle({"--lora", lora + ":0.7"}).code == 0);
  CHECK(distance(levels(studio.folder / "a.png"), off) > 1);
  const std::string png = read_text(studio.folder / "a.png");
  CHECK(png.find("a castle on a hill") != std::string::npos);
  CHECK(png.find("sd15_kohya.safetensors") != std::string::npos);
}

TEST_CASE("generate names what is wrong before it loads a model") {
  const Studio studio;
  write_atomically(studio.folder / "request.json", "{\"promt\": \"a\", \"model\": \".\"}");
  std::filesystem::create_directories(studio.folder / "empty");
  const std::vector<std::tuple<Words, int, std::string>> mistakes = {
      {{"--request", "request.json", "--out", "a.png"}, 2, "did you mean 'prompt'?"},
      {{"--request", "none.json", "--out", "a.png"}, 2, "none.json"},
      {{"--model", "nowhere", "--prompt", "a", "--out", "a.png"}, 2, "nowhere"},
      {{"--model", "empty", "--prompt", "a", "--out", "a.png"}, 2, "model_index.json"},
      {{"--prompt", "a", "--out", "a.png"}, 2, "--model"},
      {{"--model", "empty", "--out", "a.png"}, 2, "--prompt"},
      {{"--model", "empty", "--prompt", "a", "--out", "a.gif"}, 2, ".png"},
      {{"--model", "empty", "--prompt", "a"}, 2, "--out"},
      {{"--prompt", "a", "--lora", "x.safetensors:high", "--out", "a.png"}, 2, "high"},
      {{"--prompt", "a", "--dtype", "int8", "--out", "a.png"}, 2, "--dtype"},
      {{"--prompt", "a", "--seed", "99999999999999999999", "--out", "a.png"}, 2, "63 bits"},
      {{"--prompt", "a", "--guidance", "nan", "--out", "a.png"}, 2, "finite"},
      {{"--prompt", "a", "--width", "0", "--out", "a.png"}, 2, "--width"},
      {{"--prompt", "a", "--init", "none.jpg", "--out", "a.png"}, 2, "none.jpg"},
      {{"--model", "empty", "--prompt", "a", "--control", "a", "--out", "a.png"}, 2, "MODEL:IMG"},
      {{"--model", "empty", "--prompt", "a", "--control", "a:none.png", "--out", "a.png"},
       2,
       "none.png"},
      {{"--model", "empty", "--prompt", "a", "--outpaint", "1,2,3", "--out", "a.png"},
       2,
       "LEFT,TOP,RIGHT,BOTTOM"},
      {{"--model", "empty", "--prompt", "a", "--hires", "2:x", "--out", "a.png"}, 2, "SCALE"},
  };
  for (const auto& [words, code, message] : mistakes) {
    const Answer answer = studio.run(words);
    INFO(answer.err);
    CHECK(answer.code == code);
    CHECK(answer.says(message));
  }
  CHECK(studio.castle({"--scheduler", "EulerDiscretScheduler"}).says("EulerDiscreteScheduler"));
  CHECK(studio.castle({"--scheduler", "EulerDiscretScheduler"}).code == 2);
  CHECK(studio.castle({"--width", "63"}).code == 2);
  CHECK(studio.castle({"--strength", "0.5"}).says("give an image too"));
  CHECK(studio.castle({"--mask", picture("mask_64x64")}).says("--init"));
  CHECK(studio.castle({"--lora", "none.safetensors"}).says("none.safetensors"));
  CHECK(studio.castle({"--lora", "none.safetensors"}).code == 2);
  CHECK_FALSE(std::filesystem::exists(studio.folder / "a.png"));
}
