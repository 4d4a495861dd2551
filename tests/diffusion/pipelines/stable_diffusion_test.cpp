// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/stable_diffusion.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <thread>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/request_json.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

// Prompt embeddings carry no tolerance of their own in the case files.
constexpr double kEmbedsTolerance = 2e-5;

struct Case {
  std::string name;
  std::string pipeline;  // what is loaded: the model and all that joins it
  ModelFiles files;
  GenerateRequest request;
  Json tolerance;
  StateDict expected;
};

// A portable pixmap, which needs no decoder.
Image read_ppm(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  int width = 0, height = 0, end = 0;
  REQUIRE(std::sscanf(text.c_str(), "P6 %d %d 255%n", &width, &height, &end) == 2);
  Image image = make_image(width, height, 3);
  REQUIRE(text.size() == static_cast<std::size_t>(end) + 1 + image.pixels.size());
  std::copy(text.end() - static_cast<std::ptrdiff_t>(image.pixels.size()), text.end(),
            image.pixels.begin());
  return image;
}

Image golden_picture(std::filesystem::path name) {
  return read_ppm(golden("images") / name.concat(".ppm"));
}

// Names of models become paths.
void find_models(Json& json) {
  for (const char* key : {"model", "vae", "controlnet"}) {
    if (!json.contains(key) || json[key].is_null()) continue;
    Json names = json[key].is_array() ? json[key] : Json::array({json[key]});
    for (Json& name : names) name = golden("models/" + name.get<std::string>()).string();
    json[key] = json[key].is_array() ? names : names[0];
  }
}

Case read_case(const std::string& name) {
  Json json = golden_json("pipelines/" + name + ".json");
  Case item;
  item.name = name;
  item.tolerance = json["tolerance"];
  for (const char* key : {"model", "vae", "controlnet"})
    item.pipeline += json.value(key, Json()).dump();
  // What describes the case rather than the request.
  for (const char* key : {"name", "pipeline", "measured_deviation", "tolerance", "tensors"}) {
    json.erase(key);
  }
  find_models(json);
  const RequestFile file = read_request(json, "", name);
  item.files = file.files;
  item.request = file.request;
  if (!file.pictures.image.empty()) item.request.image = golden_picture(file.pictures.image);
  if (!file.pictures.mask.empty()) item.request.mask = golden_picture(file.pictures.mask);
  for (std::size_t i = 0; i < file.pictures.controls.size(); ++i) {
    item.request.controls[i].image = golden_picture(file.pictures.controls[i]);
  }
  item.expected = load_safetensors(golden("pipelines/" + name + ".safetensors"));
  return item;
}

std::vector<std::string> cases() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(golden("pipelines"))) {
    if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

std::unique_ptr<StableDiffusionPipeline> load(const std::string& model) {
  return StableDiffusionPipeline::from_folder(golden("models/" + model), at::kFloat, at::kCPU);
}

void compare_embeds(const Generation& result, const StateDict& expected) {
  const std::pair<const char*, at::Tensor> pairs[] = {
      {"prompt_embeds", result.prompt_embeds},
      {"negative_prompt_embeds", result.negative_prompt_embeds},
      {"pooled_prompt_embeds", result.pooled_prompt_embeds},
      {"negative_pooled_prompt_embeds", result.negative_pooled_prompt_embeds}};
  for (const auto& [name, tensor] : pairs) {
    INFO(name);
    // Without guidance there is no negative prompt here; the reference's is never used.
    if (!expected.contains(name) || !tensor.defined()) continue;
    CHECK(distance(tensor, expected.at(name)) < kEmbedsTolerance);
  }
}

void compare(const StableDiffusionPipeline& pipeline, const Case& item) {
  const double latents = item.tolerance["latents"];
  const at::Tensor& steps = item.expected.at("latents");
  double worst = 0;
  Watch watch;
  watch.step = [&](std::int64_t done, std::int64_t total, const at::Tensor& now) {
    REQUIRE(total == steps.size(0));
    worst = std::max(worst, distance(now, steps[done - 1]));
  };
  const Generation result = pipeline.generate(item.request, watch);
  compare_embeds(result, item.expected);
  CHECK(distance(result.timesteps, item.expected.at("timesteps")) < 1e-3);
  // The encoder's sums, and the reference's, depend on the number of threads.
  CHECK(distance(result.initial, item.expected.at("latents.initial")) <
        (item.request.image.has_value() ? 1e-4 : 2e-5));
  CHECK(worst < latents);
  CHECK(result.step_seconds.size() == static_cast<std::size_t>(steps.size(0)));
  const double levels = item.tolerance["png_levels"];
  if (!item.expected.contains("image")) {  // only what was laid over the original is known
    CHECK(distance(result.images, item.expected.at("png")) <= levels);
    return;
  }
  const at::Tensor& image = item.expected.at("image");
  CHECK(distance(result.decoded.permute({0, 2, 3, 1}), image) <
        item.tolerance["image"].get<double>());
  CHECK(distance(result.images, (image.to(at::kFloat) * 255).round()) <= levels);
}

}  // namespace

TEST_CASE("pictures are those of diffusers, step by step") {
  const std::vector<std::string> names = cases();
  REQUIRE(names.size() == 69);
  std::map<std::string, std::unique_ptr<StableDiffusionPipeline>> pipelines;
  for (const std::string& name : names) {
    INFO(name);
    const Case item = read_case(name);
    auto& pipeline = pipelines[item.pipeline];
    if (!pipeline) pipeline = StableDiffusionPipeline::load(item.files, at::kFloat, at::kCPU);
    compare(*pipeline, item);
  }
}

TEST_CASE("two pipelines in two threads do not disturb each other") {
  const Case first = read_case("sd15_ddim_eta");
  const Case second = read_case("sd21_euler");
  const auto one = load("sd15");
  const auto two = load("sd21");
  const at::Tensor alone_one = one->generate(first.request).images;
  const at::Tensor alone_two = two->generate(second.request).images;
  at::Tensor together_one, together_two, shared_one;
  std::thread a([&] {
    for (int i = 0; i < 3; ++i) together_one = one->generate(first.request).images;
  });
  std::thread b([&] {
    for (int i = 0; i < 3; ++i) together_two = two->generate(second.request).images;
  });
  // A third run on a pipeline that is in use: networks are shared, everything else is its own.
  std::thread c([&] { shared_one = one->generate(first.request).images; });
  a.join();
  b.join();
  c.join();
  // Rounding to 8 bits may differ by one where another thread count splits the sums elsewhere.
  CHECK(distance(together_one, alone_one) <= 1);
  CHECK(distance(together_two, alone_two) <= 1);
  CHECK(distance(shared_one, alone_one) <= 1);
}

TEST_CASE("a generation stops at the next step when it is cancelled") {
  const auto pipeline = load("sd15");
  GenerateRequest request = read_case("sd15_euler").request;
  std::int64_t done = 0;
  Watch watch;
  watch.step = [&](std::int64_t step, std::int64_t, const at::Tensor&) { done = step; };
  watch.cancelled = [&] { return done == 2; };
  try {
    pipeline->generate(request, watch);
    FAIL("not cancelled");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::Cancelled);
  }
  CHECK(done == 2);
}

TEST_CASE("each picture of a batch has its own seed") {
  const auto pipeline = load("sd15");
  GenerateRequest request = read_case("sd15_ddim_eta").request;
  request.num_images_per_prompt = 2;
  request.seeds = {5, 6};
  const Generation both = pipeline->generate(request);
  request.num_images_per_prompt = 1;
  request.seeds = {6};
  CHECK(distance(pipeline->generate(request).latents[0], both.latents[1]) < 1e-3);
}

TEST_CASE("a prompt that is cut is reported, and only then") {
  const auto pipeline = load("sd15");
  CHECK(pipeline->generate(read_case("sd15_long_prompt").request).warnings.size() == 2);
  CHECK(pipeline->generate(read_case("sd15_one_step").request).warnings.empty());
}

TEST_CASE("requests that cannot be fulfilled are refused") {
  const auto pipeline = load("sd15");
  const GenerateRequest good = read_case("sd15_one_step").request;
  const auto refused = [&](auto change) {
    GenerateRequest request = good;
    change(request);
    try {
      pipeline->generate(request);
    } catch (const Error& error) {
      return exit_code(error.cause()) == 2;
    }
    return false;
  };
  CHECK(refused([](GenerateRequest& r) { r.width = 60; }));
  CHECK(refused([](GenerateRequest& r) { r.height = -8; }));
  CHECK(refused([](GenerateRequest& r) { r.num_inference_steps = 0; }));
  CHECK(refused([](GenerateRequest& r) { r.scheduler = "Magic"; }));
  CHECK(refused([](GenerateRequest& r) { r.clip_skip = 40; }));
  CHECK(refused([](GenerateRequest& r) { r.seeds = {1, 2}; }));
  CHECK(refused([](GenerateRequest& r) { r.prompts = {"\xFF"}; }));
  CHECK(refused([](GenerateRequest& r) { r.negative_prompts = {"a", "b"}; }));
}

TEST_CASE("half precision gives nearly the same picture") {
  const Case item = read_case("sd15_dpmpp_2m");
  const at::Tensor exact = load("sd15")->generate(item.request).images.to(at::kFloat);
  const auto pipeline =
      StableDiffusionPipeline::from_folder(golden("models/sd15"), at::kBFloat16, at::kCPU);
  GenerateRequest request = item.request;
  const Generation rough = pipeline->generate(request);
  CHECK(rough.latents.scalar_type() == at::kFloat);
  CHECK(at::isfinite(rough.latents).all().item<bool>());
  CHECK(rough.images.sizes() == exact.sizes());
}

TEST_CASE("a model folder must be whole") {
  CHECK_THROWS_AS(StableDiffusionPipeline::from_folder(golden("nowhere"), at::kFloat, at::kCPU),
                  Error);
  CHECK_THROWS_AS(
      StableDiffusionPipeline::from_folder(golden("models/sd15/vae"), at::kFloat, at::kCPU), Error);
}

TEST_CASE("parts of different families are refused with the file that does not fit") {
  const std::filesystem::path control = golden("models/sdxl-controlnet");
  ModelFiles files;
  files.model = golden("models/sd15");
  files.controlnets = {control};
  try {
    StableDiffusionPipeline::load(files, at::kFloat, at::kCPU);
    FAIL("loaded");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    CHECK(std::string(error.what()).find(control.string()) != std::string::npos);
  }
}
