// SPDX-License-Identifier: Apache-2.0
// train_lora() on tiny models with drawn pictures.
#include "diffusion/training/lora_trainer.h"

#include <ATen/ATen.h>

#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "catch.h"
#include "diffusion/pipelines/adapter_targets.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/picture_features.h"
#include "diffusion/weights/safetensors.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

const std::filesystem::path kModels =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens/models";

struct Studio {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("affiche-lora-" + random_hex(6));
  std::vector<std::string> said;
  LoraTraining training;

  explicit Studio(int pictures = 6, const std::string& model = "sd15") {
    for (int i = 0; i < pictures; ++i) {
      const Scene scene = random_scene(static_cast<std::uint64_t>(i), Family::SoftWaves);
      const std::string stem = concat("picture-", i);
      write_ppm(folder / "data" / (stem + ".ppm"), draw(scene, i % 2 == 0 ? 80 : 160, 80));
      write_atomically(folder / "data" / (stem + ".txt"), caption(scene) + "\n");
    }
    training.model = kModels / model;
    training.data = folder / "data";
    training.out = folder / "out.safetensors";
    training.loop.folder = folder / "work";
    training.loop.steps = 3;
    training.loop.warm_up = 0;
    training.loop.log_every = 1;
    training.loop.sheet_every = 0;
    training.loop.learning_rate = 1e-2;
    training.shape.rank = 2;
    training.shape.alpha = 4;
    training.batch = 2;
    training.pictures.width = training.pictures.height = 64;
    training.sample_steps = 2;
    training.prompts = {"soft waves, teal"};
    training.type = at::kFloat;
  }
  ~Studio() { std::filesystem::remove_all(folder); }
  LoraResult train() {
    LoopHooks hooks;
    hooks.report = [this](const std::string& line) { said.push_back(line); };
    return train_lora(training, {read_ppm, write_ppm, ".ppm", {}}, hooks);
  }
  bool heard(const std::string& part) const {
    for (const std::string& line : said)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }
  std::vector<double> losses() const {
    std::ifstream log(training.loop.folder / "log.jsonl");
    std::vector<double> losses;
    for (std::string line; std::getline(log, line);)
      losses.push_back(Json::parse(line).at("loss").get<double>());
    return losses;
  }
  std::string refusal() {
    try {
      train();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a LoRA of a folder is written with what made it, and a sheet", "[training][lora]") {
  Studio studio;
  studio.training.pictures.flips = true;
  studio.training.noise_offset = 0.05;
  studio.training.min_snr = 5;
  const LoraResult result = studio.train();
  CHECK(result.steps == 3);
  CHECK(result.distance_before > 0);
  const Image sheet = read_ppm(result.sheet);
  CHECK(sheet.width == 64);
  CHECK(sheet.height == 3 * 64);
  const auto metadata = safetensors_metadata(studio.training.out);
  const Json told = Json::parse(metadata.at("affiche.training"));
  CHECK(told.at("pictures") == 6);
  CHECK(told.at("steps") == 3);
  CHECK(told.at("model") == "sd15");
  CHECK(Json::parse(metadata.at("lora_adapter_metadata")).at("unet.lora_alpha") == 4.0);
  CHECK(studio.heard("step 3 of 3"));
  CHECK(studio.heard(" left"));
  const LoraFile file = load_lora(studio.training.out);
  CHECK(!file.layers.empty());
}

TEST_CASE("a LoRA run that was cut off goes on with the same losses", "[training][lora]") {
  Studio whole, cut;
  whole.train();
  cut.training.loop.steps = 2;
  cut.training.loop.save_every = 2;
  cut.train();
  cut.training.loop.steps = 3;
  cut.train();
  const std::vector<double> expected = whole.losses(), found = cut.losses();
  REQUIRE(expected.size() == 3);
  REQUIRE(found.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::fabs(found[i] - expected[i]) < 1e-6);
  const StateDict one = load_safetensors(whole.training.out),
                  other = load_safetensors(cut.training.out);
  for (const auto& [name, tensor] : one) REQUIRE(at::equal(tensor, other.at(name)));
  CHECK(cut.heard("goes on after step 2"));
  cut.training.shape.alpha = 1;
  CHECK(has(cut.refusal(), "alpha 1, "));
  CHECK(has(cut.refusal(), "give the same options or another folder"));
}

TEST_CASE("kohya's and PEFT's layouts of one run make the same change", "[training][lora]") {
  Studio peft, kohya;
  peft.training.shape.text_encoders = kohya.training.shape.text_encoders = true;
  kohya.training.layout = LoraLayout::Kohya;
  peft.train();
  kohya.train();
  const auto weights = [&](const std::filesystem::path& file) {
    auto pipeline = StableDiffusionPipeline::from_folder(kModels / "sd15", at::kFloat, at::kCPU);
    AdapterStack stack(adapter_targets(pipeline->components()));
    const auto reports = stack.apply({{std::make_shared<LoraFile>(load_lora(file)), 1.0}});
    CHECK(reports.front().unmatched.empty());
    StateDict state = pipeline->components().unet->parameters().state_dict();
    for (const auto& [name, tensor] :
         pipeline->components().text_encoder->parameters().state_dict())
      state["text." + name] = tensor;
    for (auto& [name, tensor] : state) tensor = tensor.clone();
    return state;
  };
  const StateDict one = weights(peft.training.out), other = weights(kohya.training.out);
  double most = 0;
  for (const auto& [name, tensor] : one)
    most = std::max(most, (tensor - other.at(name)).abs().max().item<double>());
  CHECK(most < 1e-6);
  CHECK(safetensors_metadata(kohya.training.out).at("ss_network_alpha") == "4.0");
}

TEST_CASE("bad pictures are named and left out, and too few are refused", "[training][lora]") {
  Studio studio(6);
  write_atomically(studio.training.data / "broken.png", "not a picture");
  write_atomically(studio.training.data / "broken.txt", "waves");
  write_ppm(studio.training.data / "small.ppm", make_image(32, 32, 3));
  write_atomically(studio.training.data / "small.txt", "waves");
  write_ppm(studio.training.data / "silent.ppm", make_image(80, 80, 3));
  studio.training.loop.steps = 1;
  studio.train();
  CHECK(studio.heard("skipped broken.png: "));
  CHECK(studio.heard("skipped small.ppm: 32 x 32 pixels"));
  CHECK(studio.heard("skipped silent.ppm: no caption; write silent.txt"));
  CHECK(studio.heard("6 pictures to learn from"));
  studio.training.caption = "soft waves";
  studio.said.clear();
  studio.train();
  CHECK(studio.heard("7 pictures to learn from"));
  Studio few(4);
  const std::string refusal = few.refusal();
  CHECK(has(refusal, "expected at least 5 pictures that can be used, found 4 of 4"));
  CHECK(has(refusal, "learns the pictures themselves"));
  few.training.data = "/nowhere";
  CHECK(has(few.refusal(), "/nowhere: expected a folder"));
}

TEST_CASE("models that learn another way are refused, and XL is trained", "[training][lora]") {
  Studio studio(5, "sd15-inpaint");
  CHECK(has(studio.refusal(), "expected a text-to-image model"));
  Studio xl(5, "sdxl");
  xl.training.loop.steps = 1;
  xl.training.shape.text_encoders = true;
  xl.training.pictures.buckets = true;
  xl.train();
  const Json told = Json::parse(safetensors_metadata(xl.training.out).at("lora_adapter_metadata"));
  CHECK(told.contains("text_encoder_2.r"));
  // Without "text_model.", which not every version of transformers has before them.
  CHECK(
      told.at("text_encoder.target_modules")[0].get<std::string>().starts_with("encoder.layers."));
}

TEST_CASE("validation keeps the best adaptation and ends a run that got worse",
          "[training][lora]") {
  Studio studio(8);
  studio.training.held_out = 0.25;
  studio.training.loop.validate_every = 1;
  studio.training.loop.patience = 2;
  studio.training.loop.steps = 40;
  studio.training.loop.learning_rate = 0.5;  // soon far too much
  const LoraResult result = studio.train();
  CHECK(result.steps < 40);
  CHECK(studio.heard("2 held out"));
  CHECK(studio.heard("the adaptation of the best validation is kept"));
  CHECK(read_bytes(studio.training.out) ==
        read_bytes(studio.training.loop.folder / "best.safetensors"));
}

TEST_CASE("small models have their convolutions adapted by default", "[training][lora]") {
  Studio studio;
  studio.training.loop.steps = 1;
  studio.training.convolutions_of_small = true;
  studio.train();
  bool convolutions = false;
  for (const auto& [name, tensor] : load_safetensors(studio.training.out))
    convolutions = convolutions || tensor.dim() == 4;
  CHECK(convolutions);
}

TEST_CASE("pictures go to the bucket of the nearest shape", "[training][lora]") {
  CHECK(nearest_bucket(1200, 630, 512 * 512) == BucketSize{704, 384});
  CHECK(nearest_bucket(100, 100, 256 * 256) == BucketSize{256, 256});
  CHECK(nearest_bucket(300, 400, 256 * 256) == BucketSize{224, 296});
  CHECK(nearest_bucket(10, 1000, 256 * 256) == BucketSize{184, 360});
}

TEST_CASE("rates rise, fall and rest as they are asked to", "[training]") {
  LoopOptions options;
  options.steps = 110;
  options.warm_up = 10;
  options.learning_rate = 1;
  CHECK(rate_at(options, 0) == Approx(0.1));
  CHECK(rate_at(options, 100) == Approx(1));
  options.cosine = true;
  CHECK(rate_at(options, 10) == Approx(1));
  CHECK(rate_at(options, 60) == Approx(0.5));
  CHECK(rate_at(options, 110) == Approx(0).margin(1e-9));
  options.cosine = false;
  options.decay = 100;
  CHECK(rate_at(options, 60) == Approx(0.02 + 0.98 * 0.5));
}

TEST_CASE("looks are nearer to their own kind than to another", "[training]") {
  const auto look = [](Family family, std::uint64_t first) {
    std::vector<std::vector<float>> features;
    for (std::uint64_t i = 0; i < 6; ++i) {
      Scene scene = random_scene(first + i, family);
      scene.space = Space::Full;
      features.push_back(picture_features(
          draw(scene, std::array<std::uint32_t, 3>{0x0F1B2D, 0x0FA3B1, 0xFF6B4A}, 128, 64)));
    }
    return features;
  };
  const auto waves = look(Family::SoftWaves, 1);
  CHECK(feature_distance(waves, waves) == 0);
  CHECK(feature_distance(waves, look(Family::SoftWaves, 50)) <
        feature_distance(waves, look(Family::CircuitTraces, 50)));
  CHECK_THROWS_AS(feature_distance(waves, {}), Error);
}
