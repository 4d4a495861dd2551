// SPDX-License-Identifier: Apache-2.0
// affiche lora, run as users run it.
#include <ATen/ATen.h>

#include <algorithm>

#include "catch.h"
#include "cli/program.h"
#include "diffusion/goldens.h"
#include "diffusion/weights/safetensors.h"

using namespace affiche;
using namespace affiche::test;
using diffusion::golden;

namespace {

const std::filesystem::path kGoldens =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens";
const std::string kModel = kGoldens / "models/sd15";

}  // namespace

TEST_CASE("lora inspect lists what fits a model and what does not") {
  const TemporaryFolder folder;
  diffusion::StateDict tensors =
      diffusion::load_safetensors(kGoldens / "lora/sd15_loha.safetensors");
  const std::string wrong = "lora_unet_mid_block_resnets_0_conv2";
  tensors[wrong + ".hada_w1_a"] = at::ones({7, 3});
  tensors[wrong + ".hada_w2_a"] = at::ones({7, 3});
  tensors["lora_unet_nowhere.lora_down.weight"] = at::ones({2, 8});
  tensors["lora_unet_nowhere.lora_up.weight"] = at::ones({8, 2});
  tensors["lora_unet_\x1b[31mred.lora_down.weight"] = at::ones({2, 8});
  tensors["lora_unet_\x1b[31mred.lora_up.weight"] = at::ones({8, 2});
  const std::string file = folder.path() / "odd.safetensors";
  diffusion::save_safetensors(file, tensors);

  const Answer answer = run_program({"lora", "inspect", file, "--model", kModel, "--json"});
  REQUIRE(answer.code == 0);
  const Json report = answer.json();
  CHECK(report.at("matched").size() == 92);
  CHECK(report.at("matched")[0].at("method") == "LoHa");
  CHECK(report.at("matched")[0].at("rank") == 3);
  CHECK(report.at("unmatched").size() == 2);
  CHECK(report.at("unmatched")[1] == "lora_unet_nowhere");
  REQUIRE(report.at("mismatched").size() == 1);
  CHECK(report.at("mismatched")[0].at("module") == wrong);
  CHECK(report.at("mismatched")[0].at("expected") == Json::array({32, 32, 3, 3}));
  CHECK(report.at("mismatched")[0].at("found") == Json::array({7, 288}));
  CHECK(report.at("changes_nothing") == false);

  const Answer table = run_program({"lora", "inspect", file, "--model", kModel});
  CHECK(table.code == 0);
  CHECK(table.says("the weight is 32x32x3x3, the change 7x288"));
  CHECK_FALSE(table.says("\x1b"));
  CHECK(table.says("92 matched, 1 mismatched, 2 unmatched"));
}

TEST_CASE("lora inspect fails for a file that changes nothing in the model") {
  const Answer answer = run_program(
      {"lora", "inspect", kGoldens / "lora/sd15_dora_kohya.safetensors", "--model", kModel});
  CHECK(answer.code == 0);
  CHECK(answer.says("dora_scale tensors ignored"));
  const TemporaryFolder folder;
  const std::string foreign = folder.path() / "foreign.safetensors";
  diffusion::save_safetensors(foreign, {{"lora_unet_x.lora_down.weight", at::ones({2, 8})},
                                        {"lora_unet_x.lora_up.weight", at::ones({8, 2})}});
  const Answer nothing = run_program({"lora", "inspect", foreign, "--model", kModel, "--json"});
  CHECK(nothing.code == 2);
  CHECK(nothing.json().at("changes_nothing") == true);
  CHECK(run_program({"lora", "inspect", foreign}).code == 2);
}

TEST_CASE("a merged model paints what the model paints with the LoRA") {
  const TemporaryFolder folder;
  const std::string lora = golden("lora/sd15_kohya.safetensors");
  const auto latents = [&](const std::string& name, std::vector<std::string> arguments) {
    const std::string file = folder.path() / (name + ".safetensors");
    for (const char* argument : {"generate", "--prompt", "a boat", "--steps", "2", "--width", "64",
                                 "--height", "64", "--threads", "1", "--out"}) {
      arguments.emplace_back(argument);
    }
    arguments.insert(arguments.end(), {folder.path() / (name + ".png"), "--latents-out", file});
    std::rotate(arguments.begin(), std::find(arguments.begin(), arguments.end(), "generate"),
                arguments.end());
    const Answer answer = run_program(arguments);
    INFO(answer.err);
    REQUIRE(answer.code == 0);
    return diffusion::load_safetensors(file).at("latents");
  };
  const std::string merged = folder.path() / "merged";
  const Answer answer =
      run_program({"lora", "merge", lora + ":0.8", "--model", kModel, "--out", merged, "--json"});
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  CHECK(answer.json().at("lora")[0].at("matched").size() == 184);
  CHECK(run_program({"lora", "merge", lora, "--model", kModel, "--out", merged}).code != 0);

  const at::Tensor worn = latents("worn", {"--model", kModel, "--lora", lora + ":0.8"});
  // Merged weights are rounded to the model's own fp16.
  CHECK(diffusion::distance(latents("merged", {"--model", merged}), worn) < 2e-2);
  CHECK(diffusion::distance(latents("plain", {"--model", kModel}), worn) > 5e-2);
}

TEST_CASE("lora convert writes the names that were asked for and says what it left out") {
  const TemporaryFolder folder;
  diffusion::StateDict tensors = diffusion::load_safetensors(golden("lora/sd15_peft.safetensors"));
  const std::string whole = folder.path() / "whole.safetensors";
  diffusion::save_safetensors(whole, tensors, {{"author", "Ann"}});
  const std::string kohya = folder.path() / "kohya.safetensors";
  REQUIRE(
      run_program({"lora", "convert", whole, kohya, "--model", kModel, "--format", "kohya"}).code ==
      0);
  for (const auto& [name, tensor] : diffusion::load_safetensors(kohya)) {
    CHECK((name.starts_with("lora_unet_") || name.starts_with("lora_te_")));
  }
  CHECK(diffusion::safetensors_metadata(kohya).at("author") == "Ann");
  CHECK(run_program({"lora", "convert", whole, kohya, "--model", kModel, "--format", "peft"})
            .says("exists already"));

  tensors["unet.nowhere.lora_A.weight"] = at::ones({2, 8});
  tensors["unet.nowhere.lora_B.weight"] = at::ones({8, 2});
  const std::string odd = folder.path() / "odd.safetensors";
  diffusion::save_safetensors(odd, tensors);
  const Answer answer = run_program(
      {"lora", "convert", odd, kohya, "--model", kModel, "--format", "kohya-ldm", "--force"});
  CHECK(answer.code == 3);
  CHECK(answer.says("left out \"unet.nowhere\""));
}
