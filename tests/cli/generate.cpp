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

}  // namespace

TEST_CASE("a request file gives the picture that diffusers gives") {
  const Studio studio;
  for (const char* name : {"sd15_euler", "sd15_two_images", "sd15_two_prompts", "sd15_clip_skip1",
                           "sd21_rescale_zsnr"}) {
    const Golden golden(name);
    write_atomically(studio.folder / "request.json", golden.request.dump());
    const Answer answer = studio.run({"--request", "request.json", "--out", "a.png", "--json"});
    INFO(name << ": " << answer.err << answer.out);
    REQUIRE(answer.code == 0);
    const Json outputs = answer.json().at("outputs");
    REQUIRE(static_cast<std::int64_t>(outputs.size()) == golden.tensors.at("image").size(0));
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
  write_atomically(studio.folder / "later.json", "{\"prompt\": \"a\", \"strength\": 0.5}");
  std::filesystem::create_directories(studio.folder / "empty");
  const std::vector<std::tuple<Words, int, std::string>> mistakes = {
      {{"--request", "request.json", "--out", "a.png"}, 2, "did you mean 'prompt'?"},
      {{"--request", "later.json", "--out", "a.png"}, 2, "image-to-image"},
      {{"--request", "none.json", "--out", "a.png"}, 2, "none.json"},
      {{"--model", "nowhere", "--prompt", "a", "--out", "a.png"}, 2, "nowhere"},
      {{"--model", "empty", "--prompt", "a", "--out", "a.png"}, 2, "model_index.json"},
      {{"--prompt", "a", "--out", "a.png"}, 2, "--model"},
      {{"--model", "empty", "--out", "a.png"}, 2, "--prompt"},
      {{"--model", "empty", "--prompt", "a", "--out", "a.jpg"}, 2, ".png"},
      {{"--model", "empty", "--prompt", "a"}, 2, "--out"},
      {{"--prompt", "a", "--lora", "x.safetensors:high", "--out", "a.png"}, 2, "high"},
      {{"--prompt", "a", "--dtype", "int8", "--out", "a.png"}, 2, "--dtype"},
      {{"--prompt", "a", "--seed", "99999999999999999999", "--out", "a.png"}, 2, "63 bits"},
      {{"--prompt", "a", "--guidance", "nan", "--out", "a.png"}, 2, "finite"},
      {{"--prompt", "a", "--width", "0", "--out", "a.png"}, 2, "--width"},
      {{"--prompt", "a", "--init", "a.jpg", "--out", "a.png"}, 2, "not part of this version"},
      {{"--prompt", "a", "--control", "a:b", "--out", "a.png"}, 2, "not part of this version"},
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
  CHECK(studio.castle({"--lora", "none.safetensors"}).says("none.safetensors"));
  CHECK(studio.castle({"--lora", "none.safetensors"}).code == 2);
  CHECK_FALSE(std::filesystem::exists(studio.folder / "a.png"));
}
