// SPDX-License-Identifier: Apache-2.0
// affiche model, run as users run it.
#include "catch.h"
#include "cli/program.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::test;

namespace {

const std::filesystem::path kGoldens =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens";
const std::string kModel = kGoldens / "models/sd15";

}  // namespace

TEST_CASE("model inspect names family, parts, sizes and hashes") {
  const Answer answer = run_program({"model", "inspect", kModel, "--json"});
  REQUIRE(answer.code == 0);
  const Json report = answer.json();
  CHECK(report.at("family") == "Stable Diffusion 1.x");
  CHECK(report.at("pipeline") == "StableDiffusionPipeline");
  CHECK(report.at("complete") == true);
  CHECK(report.at("parts").size() == 3);
  CHECK(report.at("parts")[1].at("name") == "unet");
  CHECK(report.at("parts")[1].at("dtypes").contains("F16"));
  CHECK_FALSE(report.at("parts")[1].contains("tensor_list"));
  REQUIRE(report.at("files").size() == 3);
  CHECK(report.at("files")[0].at("sha256").get<std::string>().size() == 64);

  const Answer table = run_program({"model", "inspect", kModel, "--tensors", "--no-hash"});
  CHECK(table.code == 0);
  CHECK(table.says("UNet2DConditionModel"));
  CHECK(table.says("down_blocks.0.resnets.0.conv1.weight"));
}

TEST_CASE("model inspect points LoRA files to their own command") {
  const Answer answer = run_program({"model", "inspect", kGoldens / "lora/sd15_kohya.safetensors"});
  CHECK(answer.code == 0);
  CHECK(answer.says("a LoRA file"));
  CHECK(answer.says("affiche lora inspect"));
}

TEST_CASE("model inspect fails for a model that is not whole") {
  const TemporaryFolder folder;
  std::filesystem::copy(kGoldens / "models/lcm/vae", folder / "vae",
                        std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(diffusion::golden("formats/broken/vae_missing_tensor.safetensors"),
                             folder / "vae/diffusion_pytorch_model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  const Answer answer = run_program({"model", "inspect", folder / "vae"});
  CHECK(answer.code == 2);
  CHECK(answer.says("missing     decoder.mid_block.resnets.0.conv1.weight"));
}

TEST_CASE("model convert writes one file, back a folder, and replaces only when forced") {
  const TemporaryFolder folder;
  const std::string file = folder / "a.safetensors";
  const Answer made = run_program({"model", "convert", kModel, file, "--dtype", "bf16", "--json"});
  REQUIRE(made.code == 0);
  CHECK(made.json().at("output") == file);
  const Answer again = run_program({"model", "convert", kModel, file});
  CHECK(again.code == 1);
  CHECK(again.says("--force"));
  CHECK(run_program({"model", "convert", kModel, file, "--force"}).code == 0);
  const std::string back = folder / "back";
  CHECK(run_program({"model", "convert", file, back}).code == 0);
  CHECK(run_program({"model", "inspect", back}).says("StableDiffusionPipeline"));
}

TEST_CASE("pickled models are read only when they are allowed") {
  const std::string file = kGoldens / "formats/broken/legacy_format.ckpt";
  const Answer refused = run_program({"model", "inspect", file});
  CHECK(refused.code == 1);
  CHECK(refused.says("--allow-pickle"));
  CHECK(run_program({"model", "inspect", file, "--allow-pickle", "--no-hash"}).code == 2);
  const Answer generated =
      run_program({"generate", "--model", file, "--prompt", "x", "--out", "/tmp/never.png"});
  CHECK(generated.says("--allow-pickle"));
}
