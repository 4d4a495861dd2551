// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/controlnet_model.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

Json config_json(const std::string& model) {
  return golden_json(std::filesystem::path("models") / model / "config.json");
}

std::unique_ptr<ControlNetModel> load(const std::string& model, const Json& config) {
  auto net = std::make_unique<ControlNetModel>(ControlNetConfig::from_json(config));
  net->parameters().load(
      load_safetensors(golden("models/" + model + "/diffusion_pytorch_model.safetensors")),
      at::kFloat, at::kCPU);
  return net;
}

// A golden model and its inputs.
struct Case {
  explicit Case(const std::string& model, const Json& options = Json::object())
      : tensors(load_safetensors(golden("modules/" + model + ".safetensors"))) {
    Json config = config_json(model);
    config.update(options);
    net = load(model, config);
    if (tensors.contains("text_embeds")) {
      added.text_embeds = tensors.at("text_embeds");
      added.time_ids = tensors.at("time_ids");
    }
  }
  ControlNetOutput run(const at::Tensor& picture, double scale, bool guess) const {
    return net->forward(tensors.at("sample"), tensors.at("timesteps"),
                        tensors.at("encoder_hidden_states"), picture, scale, guess, added);
  }
  ControlNetOutput run(double scale = 0.8, bool guess = false) const {
    return run(tensors.at("cond"), scale, guess);
  }
  StateDict tensors;
  std::unique_ptr<ControlNetModel> net;
  UNetConditions added;
};

std::string refusal(const std::string& key, const Json& value) {
  Json config = config_json("sd15-controlnet");
  config[key] = value;
  try {
    const ControlNetModel net(ControlNetConfig::from_json(config));
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a ControlNet gives what the reference gives") {
  for (const auto& [model, count] :
       {std::pair<std::string, std::size_t>{"sd15-controlnet", 12}, {"sdxl-controlnet", 6}}) {
    const Case test(model);
    const ControlNetOutput output = test.run();
    REQUIRE(output.down_block_res_samples.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      INFO(model << " " << i);
      CHECK(distance(output.down_block_res_samples[i], test.tensors.at(concat("down_", i))) <
            kTolerance);
    }
    CHECK(distance(output.mid_block_res_sample, test.tensors.at("mid")) < kTolerance);
  }
}

TEST_CASE("guess mode weighs a ControlNet's results as the reference does") {
  for (const std::string model : {"sd15-controlnet", "sdxl-controlnet"}) {
    const Case test(model);
    const ControlNetOutput output = test.run(0.8, true);
    for (std::size_t i = 0; i < output.down_block_res_samples.size(); i += 4) {
      INFO(model << " " << i);
      CHECK(distance(output.down_block_res_samples[i], test.tensors.at(concat("guess_down_", i))) <
            kTolerance);
    }
    CHECK(distance(output.mid_block_res_sample, test.tensors.at("guess_mid")) < kTolerance);
  }
}

TEST_CASE("a ControlNet for bgr pictures turns the channels round") {
  const Case rgb("sd15-controlnet");
  const Case bgr("sd15-controlnet", {{"controlnet_conditioning_channel_order", "bgr"}});
  const ControlNetOutput turned = bgr.run(bgr.tensors.at("cond").flip({1}), 0.8, false);
  CHECK(distance(turned.mid_block_res_sample, rgb.run().mid_block_res_sample) == 0.0);
  CHECK(distance(turned.mid_block_res_sample, bgr.run().mid_block_res_sample) > 1e-3);
}

TEST_CASE("a ControlNet with pooled conditions gives means and has no guess mode") {
  const Case plain("sd15-controlnet");
  const Case pooled("sd15-controlnet", {{"global_pool_conditions", true}});
  const at::Tensor& expected = plain.tensors.at("down_3");
  for (const bool guess : {false, true}) {
    const ControlNetOutput output = pooled.run(0.8, guess);
    CHECK(output.down_block_res_samples[3].sizes() == at::IntArrayRef({2, 16, 1, 1}));
    CHECK(distance(output.down_block_res_samples[3], expected.mean({2, 3}, true)) < kTolerance);
  }
}

TEST_CASE("control pictures and conditions that do not fit a ControlNet are refused") {
  const Case test("sd15-controlnet");
  const auto complaint = [&](const at::Tensor& picture, const UNetConditions& added) {
    try {
      test.net->forward(test.tensors.at("sample"), test.tensors.at("timesteps"),
                        test.tensors.at("encoder_hidden_states"), picture, 1.0, false, added);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const at::Tensor& picture = test.tensors.at("cond");
  CHECK(complaint(picture.slice(0, 0, 1), {}).empty());
  for (const at::Tensor& wrong : {at::Tensor(), at::zeros({2, 3, 64, 56}),
                                  at::zeros({2, 1, 64, 64}), at::zeros({3, 3, 64, 64})}) {
    CHECK(complaint(wrong, {}).find("B x 3 x 64 x 64") != std::string::npos);
  }
  UNetConditions residuals, pooled;
  residuals.mid_block_additional_residual = test.tensors.at("mid");
  pooled.text_embeds = at::zeros({2, 32});
  CHECK(complaint(picture, residuals).find("residuals") != std::string::npos);
  CHECK(complaint(picture, pooled).find("text_embeds") != std::string::npos);
}

TEST_CASE("ControlNets of full size have the tensors that their configs imply") {
  Json sd15 = config_json("sd15-controlnet");
  sd15["block_out_channels"] = {320, 640, 1280, 1280};
  sd15["conditioning_embedding_out_channels"] = {16, 32, 96, 256};
  sd15["cross_attention_dim"] = 768;
  sd15["norm_num_groups"] = 32;
  const ControlNetModel net(ControlNetConfig::from_json(sd15));
  CHECK(net.parameters().element_count() == 361'279'120);
}

TEST_CASE("ControlNet options that are not built are refused by their key") {
  const std::pair<const char*, Json> options[] = {
      {"mid_block_type", nullptr},
      {"controlnet_conditioning_channel_order", "hsv"},
      {"conditioning_embedding_out_channels", Json::array()},
      {"class_embed_type", "projection"},
      {"only_cross_attention", {true}},
      {"up_block_types", {"UpBlock2D"}},
      {"num_control_type", 6},
      {"num_attention_heads", {8, 8}},
      {"attention_head_dim", 5}};
  for (const auto& [key, value] : options) {
    INFO(key);
    CHECK(refusal(key, value).find(concat("\"", key, "\"")) != std::string::npos);
  }
  CHECK(refusal("num_attention_heads", 4).empty());
}
