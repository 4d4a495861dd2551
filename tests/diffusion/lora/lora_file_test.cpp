// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/lora_file.h"

#include <unistd.h>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

StateDict peft(const std::string& module, std::int64_t rank) {
  return {{module + ".lora_A.weight", at::ones({rank, 8})},
          {module + ".lora_B.weight", at::ones({6, rank})}};
}

double scale(const StateDict& tensors, const std::string& adapter = "") {
  std::map<std::string, std::string> metadata;
  if (!adapter.empty()) metadata["lora_adapter_metadata"] = adapter;
  return parse_lora(tensors, metadata, "test").layers.at(0).change.scale;
}

std::string refusal(const StateDict& tensors) {
  try {
    parse_lora(tensors, {}, "broken.safetensors");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    CHECK(std::string(error.what()).find("broken.safetensors") != std::string::npos);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the scale of a layer is alpha / rank, and 1 when alpha is missing or zero") {
  StateDict tensors = {{"lora_unet_a.lora_down.weight", at::ones({4, 8})},
                       {"lora_unet_a.lora_up.weight", at::ones({6, 4})}};
  CHECK(scale(tensors) == 1.0);
  for (const at::Tensor& alpha : {at::scalar_tensor(2.0), at::full({1}, 2.0).to(at::kBFloat16)}) {
    tensors["lora_unet_a.alpha"] = alpha;
    CHECK(scale(tensors) == 0.5);
  }
  tensors["lora_unet_a.alpha"] = at::scalar_tensor(0.0);
  CHECK(scale(tensors) == 1.0);
}

TEST_CASE("PEFT's metadata gives alpha, patterns and rank-stabilised scales") {
  const StateDict tensors = peft("unet.mid_block.attn1.to_q", 4);
  CHECK(scale(tensors) == 1.0);
  CHECK(scale(tensors, R"({"unet.lora_alpha": 8, "unet.r": 4})") == 2.0);
  CHECK(scale(tensors, R"({"unet.lora_alpha": 8, "unet.use_rslora": true})") == 4.0);
  CHECK(scale(tensors, R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 2}})") ==
        0.5);
  CHECK(scale(tensors, R"({"text_encoder.lora_alpha": 8})") == 1.0);
  CHECK_THROWS_AS(scale(tensors, R"({"unet.lora_alpha": "8"})"), Error);
  CHECK_THROWS_AS(scale(tensors, R"({"unet.use_dora": true})"), Error);
  CHECK_THROWS_AS(scale(tensors, "[]"), Error);
}

TEST_CASE("broken and foreign LoRA files are refused by the tensor's name") {
  CHECK(refusal({}).find("found none") != std::string::npos);
  CHECK(refusal({{"conv_in.weight", at::ones({2, 2})}}).find("\"conv_in.weight\"") !=
        std::string::npos);
  StateDict tensors = peft("unet.x", 4);
  tensors.erase("unet.x.lora_B.weight");
  CHECK(refusal(tensors).find("its lora_up is missing") != std::string::npos);
  tensors = peft("unet.x", 4);
  tensors["unet.x.lora_B.weight"] = at::ones({6, 3});
  CHECK(refusal(tensors).find("\"unet.x\"") != std::string::npos);
  tensors["unet.x.lora_B.weight"] = at::full({6, 4}, NAN);
  CHECK(refusal(tensors).find("not finite") != std::string::npos);
  tensors["unet.x.lora_B.weight"] = at::ones({6, 4}, at::kLong);
  CHECK(refusal(tensors).find("\"unet.x.lora_B.weight\"") != std::string::npos);
  tensors["unet.x.lora_B.weight"] = at::ones({4});
  CHECK(refusal(tensors).find("expected [2, 4] dimensions, found 1") != std::string::npos);
  tensors["unet.x.lora_B.weight"] = at::ones({0, 4});
  CHECK(refusal(tensors).find("at least one number") != std::string::npos);
}

TEST_CASE("tensors of two methods, of none or given twice are refused by name") {
  const auto named = [](const std::string& message, const std::string& key) {
    return message.find(concat("\"", key, "\"")) != std::string::npos;
  };
  for (const char* key : {"unet.x.hada_t1", "unet.x.lokr_t2", "unet.x.lora_B.bias", "unet.x.diff",
                          "unet.x", "alpha", ".alpha", ""}) {
    INFO(key);
    StateDict tensors = peft("unet.x", 4);
    tensors[key] = at::ones({1, 1});
    CHECK(named(refusal(tensors), key));
  }
  StateDict tensors = peft("unet.x", 4);
  tensors["unet.x.lora_down.weight"] = at::ones({4, 8});
  CHECK(named(refusal(tensors), "unet.x.lora_down.weight"));
  tensors = peft("unet.x", 4);
  tensors["unet.x.alpha"] = at::ones({2});
  CHECK(refusal(tensors).find("alpha of one number") != std::string::npos);
  CHECK(named(refusal({{"lora_unet_x.hada_w1_a", at::ones({2, 2})}}), "lora_unet_x"));
  CHECK(named(refusal({{"lora_unet_x.lokr_w2", at::ones({2, 2})}}), "lora_unet_x"));
  CHECK(named(refusal({{"lora_unet_x.alpha", at::ones({})}}), "lora_unet_x"));
}

TEST_CASE("old attention processors name the layers that the model has today") {
  const auto module = [](const std::string& stem) {
    const LoraLayer layer = parse_lora({{stem + ".down.weight", at::ones({4, 8})},
                                        {stem + ".up.weight", at::ones({6, 4})}},
                                       {}, "test")
                                .layers.at(0);
    return layer.module;
  };
  CHECK(module("unet.mid_block.attn1.processor.to_q_lora") == "unet.mid_block.attn1.to_q");
  CHECK(module("mid_block.attn1.processor.to_out_lora") == "mid_block.attn1.to_out.0");
  CHECK(module("text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora") ==
        "text_encoder.text_model.encoder.layers.0.self_attn.out_proj");
  CHECK(module("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer") ==
        "text_encoder.text_model.encoder.layers.0.mlp.fc1");
  CHECK(module("unet.mid_block.attn1.to_out.0.lora") == "unet.mid_block.attn1.to_out.0");
}

TEST_CASE("PEFT's own files take their scale from adapter_config.json beside them") {
  const auto folder = std::filesystem::temp_directory_path() / concat("affiche-peft-", ::getpid());
  const auto path = folder / "adapter_model.safetensors";
  write_atomically(folder / "adapter_config.json", R"({"lora_alpha": 16, "r": 4})");
  save_safetensors(path, peft("base_model.model.mid_block.attn1.to_q", 4));
  CHECK(load_lora(path).layers.at(0).change.scale == 4.0);
  std::filesystem::remove(folder / "adapter_config.json");
  CHECK_THROWS_AS(load_lora(path), Error);
  std::filesystem::remove_all(folder);
}
