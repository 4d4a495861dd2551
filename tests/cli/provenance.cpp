// SPDX-License-Identifier: Apache-2.0
// What a generated picture says of its making, and making it again, with the shipped model.
#include <algorithm>
#include <map>

#include "catch.h"
#include "cli/program.h"
#include "recipes/picture_recipe.h"

using namespace affiche;
using namespace affiche::test;

namespace {

const std::filesystem::path kModel =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "assets/models/affiche-mini";
using Words = std::vector<std::string>;

struct Workshop {
  TemporaryFolder folder;

  Answer run(const Words& words) const {
    Surroundings around;
    around.folder = folder.path();
    return run_program(words, around);
  }
  // Two steps of a small picture.
  Answer make(const std::string& out, const Words& more = {}) const {
    Words words = {"generate", "--threads", "1", "--out", out};
    for (const auto& [option, value] :
         std::map<std::string, std::string>{{"--model", kModel.string()},
                                            {"--prompt", "soft teal waves"},
                                            {"--steps", "2"},
                                            {"--width", "64"},
                                            {"--height", "64"},
                                            {"--seed", "7"},
                                            {"--scheduler", "DPM++ 2M Karras"}}) {
      if (std::find(more.begin(), more.end(), option) == more.end()) {
        words.insert(words.end(), {option, value});
      }
    }
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  Bytes bytes(const std::string& name) const { return read_bytes(folder / name); }
};

}  // namespace

TEST_CASE("a picture says everything that made it, in each format") {
  const Workshop shop;
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    const Answer made = shop.make(name, {"--negative", "text", "--quality", "90"});
    INFO(name << made.err);
    REQUIRE(made.code == 0);
    const Json answer = shop.run({"recipe", "show", name, "--json"}).json();
    const Json recipe = answer.at("recipe");
    CHECK(recipe.at("prompt") == "soft teal waves");
    CHECK(recipe.at("negative_prompt") == "text");
    CHECK(recipe.at("seed") == 7);
    CHECK(recipe.at("num_inference_steps") == 2);
    CHECK(recipe.at("guidance_scale") == 7.5);
    CHECK(recipe.at("width") == 64);
    CHECK(recipe.at("scheduler") == "DPMSolverMultistepScheduler");
    CHECK(recipe.at("scheduler_config").at("use_karras_sigmas") == true);
    CHECK(recipe.at("scheduler_config").at("beta_schedule") == "scaled_linear");
    const Json with = recipe.at("made_with");
    CHECK(with.at("rng") == "torch CPU generator");
    CHECK(with.at("threads") == 1);
    CHECK(with.at("dtype") == "fp32");
    CHECK(with.at("files").size() >= 8);
    const std::string text = answer.at("parameters");
    CHECK(
        text.starts_with("soft teal waves\nNegative prompt: text\nSteps: 2, Sampler: DPM++ 2M, "
                         "Schedule type: Karras, CFG scale: 7.5, Seed: 7, Size: 64x64, "
                         "Model hash: "));
  }
  const Answer human = shop.run({"recipe", "show", "a.jpg"});
  CHECK(human.says("prompt = \"soft teal waves\""));
  CHECK(human.says("unet/diffusion_pytorch_model.safetensors"));
}

TEST_CASE("the same recipe gives the same bytes") {
  const Workshop shop;
  for (const char* name : {"a.png", "a.jpg", "a.webp"}) {
    REQUIRE(shop.make(name, {"--quality", "80"}).code == 0);
    const std::string again = std::string("again") + (name + 1);
    const Answer rerun = shop.run({"recipe", "show", name, "--rerun", "--out", again});
    INFO(name << rerun.err);
    REQUIRE(rerun.code == 0);
    CHECK(shop.bytes(again) == shop.bytes(name));
  }
  REQUIRE(shop.run({"generate", "--recipe", "a.png", "--out", "third.png"}).code == 0);
  CHECK(shop.bytes("third.png") == shop.bytes("a.png"));
  REQUIRE(shop.run({"generate", "--recipe", "a.png", "--seed", "8", "--out", "b.png"}).code == 0);
  CHECK(shop.bytes("b.png") != shop.bytes("a.png"));
  CHECK(shop.run({"recipe", "show", "b.png", "--json"}).json().at("recipe").at("seed") == 8);
}

TEST_CASE("one of several pictures is made again, with its neighbours' numbers") {
  const Workshop shop;
  REQUIRE(shop.make("a.png", {"--count", "2"}).code == 0);
  REQUIRE(shop.run({"generate", "--recipe", "a-1.png", "--out", "again.png"}).code == 0);
  CHECK(shop.bytes("again.png") == shop.bytes("a-1.png"));
  CHECK(shop.bytes("again.png") != shop.bytes("a-0.png"));
}

TEST_CASE("a model that is no longer the same is named with both hashes") {
  const Workshop shop;
  std::filesystem::copy(kModel, shop.folder / "model", std::filesystem::copy_options::recursive);
  REQUIRE(shop.make("a.png", {"--model", "model"}).code == 0);
  const std::filesystem::path config = shop.folder / "model/scheduler/scheduler_config.json";
  write_atomically(config, read_text(config) + "\n");
  const Answer changed = shop.run({"generate", "--recipe", "a.png", "--out", "b.png"});
  CHECK(changed.code == 1);
  CHECK(changed.says("model/scheduler/scheduler_config.json: expected SHA-256 "));
  CHECK(changed.says(", found "));
  CHECK_FALSE(std::filesystem::exists(shop.folder / "b.png"));

  // Moved away, and found again where --models says.
  std::filesystem::remove_all(shop.folder / "model");
  const Answer gone = shop.run({"generate", "--recipe", "a.png", "--out", "b.png"});
  CHECK(gone.says("is not there; give the folder that has it with --models"));
  std::filesystem::create_directories(shop.folder / "elsewhere");
  std::filesystem::copy(kModel, shop.folder / "elsewhere/model",
                        std::filesystem::copy_options::recursive);
  const Answer found =
      shop.run({"generate", "--recipe", "a.png", "--models", "elsewhere", "--out", "b.png"});
  INFO(found.err);
  REQUIRE(found.code == 0);
  CHECK(shop.bytes("b.png") == shop.bytes("a.png"));
}

TEST_CASE("a hostile prompt reaches no terminal and breaks no text") {
  const Workshop shop;
  REQUIRE(shop.make("a.png", {"--prompt", "x\x1b[2J\nSteps: 9, Seed: 9, Size: 9x9"}).code == 0);
  const Answer human = shop.run({"recipe", "show", "a.png"});
  CHECK(human.out.find('\x1b') == std::string::npos);
  const Json answer = shop.run({"recipe", "show", "a.png", "--json"}).json();
  CHECK(answer.at("recipe").at("prompt") == "x\x1b[2J\nSteps: 9, Seed: 9, Size: 9x9");
  CHECK(answer.at("recipe").at("seed") == 7);
  const recipes::Parameters read =
      recipes::parse_parameters(answer.at("parameters").get<std::string>());
  CHECK(read.field("Seed") == "7");
}

TEST_CASE("an imported recipe runs, and its mistakes have a line") {
  const Workshop shop;
  write_atomically(shop.folder / "a.txt",
                   std::string("a castle, (waves:1.2)\nSteps: 2, Sampler: Euler, CFG scale: 5, "
                               "Seed: 3, Size: 64x64, Model: affiche-mini, RNG: CPU"));
  const Answer imported = shop.run(
      {"recipe", "import", "a.txt", "--models", kModel.parent_path().string(), "--out", "a.toml"});
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  const Answer made =
      shop.run({"generate", "--recipe", "a.toml", "--threads", "1", "--out", "a.png"});
  INFO(made.err << read_text(shop.folder / "a.toml"));
  REQUIRE(made.code == 0);
  const Json recipe = shop.run({"recipe", "show", "a.png", "--json"}).json().at("recipe");
  CHECK(recipe.at("scheduler") == "EulerDiscreteScheduler");
  CHECK(recipe.at("scheduler_config").at("timestep_spacing") == "linspace");
  CHECK(recipe.at("prompt_weighting") == "a1111");

  write_atomically(shop.folder / "bad.toml", std::string("prompt = \"a\"\n\nseed = \"x\"\n"));
  const Answer bad = shop.run({"generate", "--recipe", "bad.toml", "--out", "b.png"});
  CHECK(bad.code == 2);
  CHECK(bad.says("bad.toml:3:8: \"seed\""));
  write_atomically(shop.folder / "odd.toml", std::string("prompt = \"a\"\nsed = 1\n"));
  CHECK(shop.run({"generate", "--recipe", "odd.toml", "--out", "b.png"}).says("odd.toml:2:7"));
}
