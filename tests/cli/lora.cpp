// SPDX-License-Identifier: Apache-2.0
// affiche lora, run as users run it.
#include <ATen/ATen.h>

#include "catch.h"
#include "cli/program.h"
#include "diffusion/weights/safetensors.h"

using namespace affiche;
using namespace affiche::test;

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
