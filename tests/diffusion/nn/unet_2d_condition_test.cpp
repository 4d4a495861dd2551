// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_condition.h"

#include <ATen/CPUGeneratorImpl.h>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/init.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 1e-4;

Json unet_json(const std::string& model) {
  return golden_json(std::filesystem::path("models") / model / "unet/config.json");
}

std::unique_ptr<UNet2DConditionModel> load_unet(const std::string& model, at::ScalarType dtype) {
  auto unet =
      std::make_unique<UNet2DConditionModel>(UNet2DConditionConfig::from_json(unet_json(model)));
  unet->parameters().load(load_safetensors(golden(std::filesystem::path("models") / model /
                                                  "unet/diffusion_pytorch_model.safetensors")),
                          dtype, at::kCPU);
  return unet;
}

UNetConditions conditions_of(const StateDict& tensors, const std::string& name) {
  const auto find = [&](const char* condition) {
    const auto found = tensors.find(name + condition);
    return found == tensors.end() ? at::Tensor() : found->second;
  };
  UNetConditions conditions;
  conditions.timestep_cond = find(".timestep_cond");
  conditions.class_labels = find(".class_labels");
  conditions.text_embeds = find(".text_embeds");
  conditions.time_ids = find(".time_ids");
  return conditions;
}

at::Tensor run(const UNet2DConditionModel& unet, const StateDict& tensors,
               const std::string& name) {
  return unet.forward(tensors.at(name + ".sample"), tensors.at(name + ".timesteps"),
                      tensors.at(name + ".encoder_hidden_states"), conditions_of(tensors, name));
}

// What the UNet says to these conditions; "" when it runs.
std::string complaint(const UNet2DConditionModel& unet, const StateDict& tensors,
                      const UNetConditions& conditions) {
  try {
    unet.forward(tensors.at("unet0.sample"), tensors.at("unet0.timesteps"),
                 tensors.at("unet0.encoder_hidden_states"), conditions);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

// "" when the config builds.
std::string refusal(const std::string& key, const Json& value) {
  Json config = unet_json("sd15");
  config[key] = value;
  try {
    const UNet2DConditionModel unet(UNet2DConditionConfig::from_json(config));
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the UNet predicts what the reference predicts") {
  for (const std::string model : {"sd15", "sd21", "sdxl", "sd15-inpaint", "lcm", "x4-upscaler"}) {
    const auto unet = load_unet(model, at::kFloat);
    const StateDict tensors = load_safetensors(golden("modules/" + model + ".safetensors"));
    for (const std::string name : {"unet0", "unet1"}) {
      INFO(model << " " << name);
      CHECK(distance(run(*unet, tensors, name), tensors.at(name + ".out")) < kTolerance);
    }
  }
}

TEST_CASE("the UNet takes samples that lie channels last") {
  const auto unet = load_unet("sd15", at::kFloat);
  StateDict tensors = load_safetensors(golden("modules/sd15.safetensors"));
  tensors["unet0.sample"] = tensors["unet0.sample"].contiguous(at::MemoryFormat::ChannelsLast);
  CHECK(distance(run(*unet, tensors, "unet0"), tensors.at("unet0.out")) < kTolerance);
}

TEST_CASE("the UNet in bf16 stays near fp32 and returns the dtype of its input") {
  const auto unet = load_unet("sd21", at::kBFloat16);
  const StateDict tensors = load_safetensors(golden("modules/sd21.safetensors"));
  const at::Tensor out = run(*unet, tensors, "unet0");
  const at::Tensor& expected = tensors.at("unet0.out");
  CHECK(out.scalar_type() == at::kFloat);
  const double error = (out - expected).square().mean().sqrt().item<double>();
  CHECK(error < 0.05 * expected.square().mean().sqrt().item<double>());
}

TEST_CASE("one timestep stands for the whole batch") {
  const auto unet = load_unet("sd15", at::kFloat);
  const at::Tensor sample = at::randn({2, 4, 8, 8}), text = at::randn({2, 77, 32});
  CHECK(distance(unet->forward(sample, at::scalar_tensor(17), text),
                 unet->forward(sample, at::full({2}, 17.0), text)) == 0.0);
}

TEST_CASE("odd latent sizes come out as they went in") {
  const auto unet = load_unet("sd15", at::kFloat);
  const at::Tensor out =
      unet->forward(at::randn({1, 4, 9, 13}), at::scalar_tensor(3), at::randn({1, 7, 32}));
  CHECK(out.sizes() == at::IntArrayRef({1, 4, 9, 13}));
}

TEST_CASE("gradients flow through bf16 weights to fp32 masters of the UNet") {
  const auto unet = load_unet("sd21", at::kFloat);
  std::vector<at::Tensor> masters;
  for (const Slot& slot : unet->parameters().slots()) {
    masters.push_back(slot.tensor->clone().set_requires_grad(true));
    *slot.tensor = masters.back().to(at::kBFloat16);
  }
  const StateDict tensors = load_safetensors(golden("modules/sd21.safetensors"));
  run(*unet, tensors, "unet1").square().mean().backward();
  for (std::size_t i = 0; i < masters.size(); ++i) {
    INFO(unet->parameters().slots()[i].name);
    REQUIRE(masters[i].grad().defined());
    REQUIRE(at::isfinite(masters[i].grad()).all().item<bool>());
  }
}

TEST_CASE("UNets of other depths, layer counts and blocks build and run") {
  Json config = unet_json("sd15");
  config["block_out_channels"] = {16, 32};
  config["down_block_types"] = {"DownBlock2D", "CrossAttnDownBlock2D"};
  config["up_block_types"] = {"CrossAttnUpBlock2D", "UpBlock2D"};
  config["layers_per_block"] = {1, 2};
  config["transformer_layers_per_block"] = {1, 3};
  config["attention_head_dim"] = {2, 4};
  for (const Json& middle : {Json("UNetMidBlock2DCrossAttn"), Json("UNetMidBlock2D"), Json()}) {
    config["mid_block_type"] = middle;
    UNet2DConditionModel unet(UNet2DConditionConfig::from_json(config));
    initialize(unet.parameters(), at::make_generator<at::CPUGeneratorImpl>(7));
    const at::Tensor out =
        unet.forward(at::randn({1, 4, 6, 5}), at::scalar_tensor(3), at::randn({1, 7, 32}));
    CHECK(out.sizes() == at::IntArrayRef({1, 4, 6, 5}));
    CHECK(out.abs().max().item<float>() == 0.0F);  // conv_out begins at zero
  }
}

TEST_CASE("levels whose attention sees the text alone are those of the reference") {
  const StateDict tensors =
      load_safetensors(golden("modules/unet_only_cross_attention.safetensors"));
  UNet2DConditionModel unet(
      UNet2DConditionConfig::from_json(golden_json("modules/unet_only_cross_attention.json")));
  unet.parameters().load(tensors, at::kFloat, at::kCPU, "weights.");
  UNetConditions conditions;
  conditions.class_labels = tensors.at("class_labels");
  const at::Tensor out = unet.forward(tensors.at("sample"), tensors.at("timesteps"),
                                      tensors.at("encoder_hidden_states"), conditions);
  CHECK(distance(out, tensors.at("out")) < kTolerance);
}

TEST_CASE("UNet options that are not built are refused by their key") {
  const std::pair<const char*, Json> options[] = {
      {"down_block_types",
       {"CrossAttnDownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"}},
      {"up_block_types", {"UpBlock2D"}},
      {"mid_block_type", "UNetMidBlock2DSimpleCrossAttn"},
      {"only_cross_attention", {true, false}},
      {"only_cross_attention", 1},
      {"mid_block_only_cross_attention", true},
      {"dual_cross_attention", true},
      {"class_embed_type", "timestep"},
      {"addition_embed_type", "text"},
      {"encoder_hid_dim", 32},
      {"time_cond_proj_dim", -1},
      {"num_class_embeds", 0},
      {"num_attention_heads", 8},
      {"resnet_time_scale_shift", "scale_shift"},
      {"time_embedding_type", "fourier"},
      {"attention_type", "gated"},
      {"act_fn", "gelu"},
      {"attention_head_dim", 5},
      {"attention_head_dim", {8, 8}},
      {"layers_per_block", 0},
      {"norm_num_groups", 7},
      {"block_out_channels", Json::array()},
      {"conv_in_kernel", 2}};
  for (const auto& [key, value] : options) {
    INFO(key);
    CHECK(refusal(key, value).find(concat("\"", key, "\"")) != std::string::npos);
  }
  CHECK(refusal("atention_head_dim", 8).find("attention_head_dim") != std::string::npos);
  CHECK(refusal("upcast_attention", true).empty());
}

TEST_CASE("text_time embeddings need their widths in the config") {
  Json config = unet_json("sdxl");
  for (const char* key : {"addition_time_embed_dim", "projection_class_embeddings_input_dim"}) {
    Json without = config;
    without[key] = nullptr;
    try {
      UNet2DConditionConfig::from_json(without);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(concat("\"", key, "\"")) != std::string::npos);
    }
  }
}

TEST_CASE("conditions that a UNet needs and lacks, or has no use for, are refused by name") {
  for (const std::string model : {"sd15", "sdxl", "lcm", "x4-upscaler"}) {
    const auto unet = load_unet(model, at::kFloat);
    const StateDict tensors = load_safetensors(golden("modules/" + model + ".safetensors"));
    const UNetConditions right = conditions_of(tensors, "unet0");
    CHECK(complaint(*unet, tensors, right).empty());
    const std::tuple<const char*, at::Tensor UNetConditions::*, at::Tensor> all[] = {
        {"timestep_cond", &UNetConditions::timestep_cond, at::zeros({2, 32})},
        {"class_labels", &UNetConditions::class_labels, at::zeros({2}, at::kLong)},
        {"text_embeds", &UNetConditions::text_embeds, at::zeros({2, 32})},
        {"time_ids", &UNetConditions::time_ids, at::zeros({2, 6})}};
    for (const auto& [name, member, value] : all) {
      INFO(model << " " << name);
      UNetConditions wrong = right;
      wrong.*member = (right.*member).defined() ? at::Tensor() : value;
      CHECK(complaint(*unet, tensors, wrong).find(concat("\"", name, "\"")) != std::string::npos);
      wrong.*member = value.slice(0, 0, 1);
      CHECK(complaint(*unet, tensors, wrong).find(concat("\"", name, "\"")) != std::string::npos);
    }
  }
  const auto upscaler = load_unet("x4-upscaler", at::kFloat);
  const StateDict tensors = load_safetensors(golden("modules/x4-upscaler.safetensors"));
  for (const at::Tensor& labels :
       {at::full({2}, 1000, at::kLong), at::full({2}, -1, at::kLong), at::zeros({2})}) {
    UNetConditions wrong;
    wrong.class_labels = labels;
    CHECK(complaint(*upscaler, tensors, wrong).find("from 0 to 999") != std::string::npos);
  }
}

TEST_CASE("a ControlNet's residuals that do not fit the UNet are refused") {
  const auto unet = load_unet("sd15", at::kFloat);
  const StateDict inputs = load_safetensors(golden("modules/sd15.safetensors"));
  const StateDict residuals = load_safetensors(golden("modules/sd15-controlnet.safetensors"));
  UNetConditions right;
  for (int i = 0; i < 12; ++i) {
    right.down_block_additional_residuals.push_back(residuals.at(concat("down_", i)));
  }
  right.mid_block_additional_residual = residuals.at("mid");
  CHECK(complaint(*unet, inputs, right).empty());
  UNetConditions few = right, bare = right, alone, wide = right;
  few.down_block_additional_residuals.pop_back();
  bare.mid_block_additional_residual = at::Tensor();
  alone.mid_block_additional_residual = right.mid_block_additional_residual;
  wide.down_block_additional_residuals[3] = at::zeros({2, 16, 8, 8});
  CHECK(complaint(*unet, inputs, few).find("expected 12 tensors, found 11") != std::string::npos);
  CHECK(complaint(*unet, inputs, bare).find("mid_block") != std::string::npos);
  CHECK(complaint(*unet, inputs, alone).find("down_block") != std::string::npos);
  CHECK(complaint(*unet, inputs, wide).find("[2, 16, 4, 4]") != std::string::npos);
}

TEST_CASE("UNets of full size have the tensors that their configs imply") {
  Json sdxl = unet_json("sdxl");
  sdxl["block_out_channels"] = {320, 640, 1280};
  sdxl["attention_head_dim"] = {5, 10, 20};
  sdxl["transformer_layers_per_block"] = {1, 2, 10};
  sdxl["layers_per_block"] = 2;
  sdxl["cross_attention_dim"] = 2048;
  sdxl["norm_num_groups"] = 32;
  sdxl["addition_time_embed_dim"] = 256;
  sdxl["projection_class_embeddings_input_dim"] = 2816;
  Json sd15 = unet_json("sd15");
  sd15["block_out_channels"] = {320, 640, 1280, 1280};
  sd15["cross_attention_dim"] = 768;
  sd15["norm_num_groups"] = 32;
  Json inpaint = sd15;
  inpaint["in_channels"] = 9;
  Json lcm = sd15;
  lcm["time_cond_proj_dim"] = 256;
  const std::pair<Json, std::int64_t> sizes[] = {
      {sdxl, 2'567'463'684}, {sd15, 859'520'964}, {inpaint, 859'535'364}, {lcm, 859'602'884}};
  for (const auto& [config, count] : sizes) {
    const UNet2DConditionModel unet(UNet2DConditionConfig::from_json(config));
    CHECK(unet.parameters().element_count() == count);
  }
}

TEST_CASE("inputs that do not fit the UNet are refused") {
  const auto unet = load_unet("sd15", at::kFloat);
  const at::Tensor time = at::scalar_tensor(3), text = at::randn({2, 77, 32});
  CHECK_THROWS_AS(unet->forward(at::randn({2, 9, 8, 8}), time, text), Error);
  CHECK_THROWS_AS(unet->forward(at::randn({1, 4, 8, 8}), time, text), Error);
  CHECK_THROWS_AS(unet->forward(at::randn({2, 4, 8, 8}), time, at::randn({2, 77, 24})), Error);
  CHECK_THROWS_AS(unet->forward(at::randn({2, 4, 8, 8}), at::arange(3), text), Error);
}
