// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/ldm_names.h"

#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/lora/adapters.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("modules have the names that Stable Diffusion XL's checkpoint gives them") {
  const std::map<std::string, std::string> names = {
      {"conv_in", "input_blocks.0.0"},
      {"time_embedding.linear_2", "time_embed.2"},
      {"add_embedding.linear_1", "label_emb.0.0"},
      {"conv_norm_out", "out.0"},
      {"conv_out", "out.2"},
      {"down_blocks.0.resnets.1.conv1", "input_blocks.2.0.in_layers.2"},
      {"down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op"},
      {"down_blocks.1.resnets.0.conv_shortcut", "input_blocks.4.0.skip_connection"},
      {"down_blocks.1.attentions.0.proj_in", "input_blocks.4.1.proj_in"},
      {"down_blocks.2.resnets.1.time_emb_proj", "input_blocks.8.0.emb_layers.1"},
      {"down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0",
       "input_blocks.8.1.transformer_blocks.9.attn2.to_out.0"},
      {"mid_block.resnets.0.norm1", "middle_block.0.in_layers.0"},
      {"mid_block.attentions.0.proj_out", "middle_block.1.proj_out"},
      {"mid_block.resnets.1.conv2", "middle_block.2.out_layers.3"},
      {"up_blocks.0.resnets.2.norm2", "output_blocks.2.0.out_layers.0"},
      {"up_blocks.0.attentions.1.norm", "output_blocks.1.1.norm"},
      {"up_blocks.0.upsamplers.0.conv", "output_blocks.2.2.conv"},
      {"up_blocks.2.resnets.2.conv2", "output_blocks.8.0.out_layers.3"}};
  for (const auto& [own, ldm] : names) {
    INFO(own);
    CHECK(ldm_module(own, 2) == ldm);
  }
  CHECK(ldm_module("up_blocks.0.upsamplers.0.conv", 2, 1) == "output_blocks.2.1.conv");
  CHECK(ldm_module("down_blocks.1.attentions.0.proj_in", 1) == "input_blocks.3.1.proj_in");
  for (const char* module :
       {"", "conv", "down_blocks", "down_blocks.x.resnets.0.conv1", "down_blocks.0.resnets.2.conv1",
        "down_blocks.0.resnets.0.conv9", "down_blocks.99999999999999999999.resnets.0.conv1",
        "down_blocks.-1.resnets.0.conv1", "up_blocks.0.resnets.0", "mid_block.resnets.2.conv1",
        "text_model.encoder.layers.0.mlp.fc1"}) {
    INFO(module);
    CHECK_FALSE(ldm_module(module, 2));
  }
}

TEST_CASE("both kohya namings of an SDXL adapter change the same weights by the same values") {
  const auto file = [](const std::string& name) {
    return std::make_shared<LoraFile>(load_lora(golden("lora/sdxl_" + name + ".safetensors")));
  };
  // The weights that the PEFT file names, in the model's own spelling, and what says that the
  // model has one layer a block.
  std::map<std::string, Parameters> networks;
  std::map<std::string, at::Tensor> tensors;
  const auto add = [&](const std::string& network, const std::string& slot,
                       const std::vector<std::int64_t>& shape) {
    at::Tensor& tensor = tensors.emplace(network + "." + slot, at::zeros(shape)).first->second;
    networks[network].add(slot, tensor, shape);
  };
  const auto peft = file("peft");
  add("unet", "down_blocks.0.resnets.0.conv1.weight", {16, 16, 3, 3});
  for (const LoraLayer& layer : peft->layers) {
    const std::size_t dot = layer.module.find('.');
    add(layer.module.substr(0, dot), layer.module.substr(dot + 1) + ".weight",
        layer.change.shape());
  }
  REQUIRE(networks.size() == 3);
  AdapterStack stack({{"unet", {"lora_unet"}, &networks.at("unet")},
                      {"text_encoder", {"lora_te1"}, &networks.at("text_encoder")},
                      {"text_encoder_2", {"lora_te2"}, &networks.at("text_encoder_2")}});
  stack.apply({{peft, 1.0}});
  StateDict expected;
  for (const auto& [name, tensor] : tensors) expected.emplace(name, tensor);
  for (const char* name : {"kohya", "kohya_ldm"}) {
    const LoraReport report = stack.apply({{file(name), 1.0}})[0];
    CHECK(report.unmatched.empty());
    CHECK(report.mismatched.empty());
    CHECK(report.matched.size() == peft->layers.size());
    for (const auto& [slot, tensor] : tensors) {
      INFO(name << " " << slot);
      CHECK(distance(tensor, expected.at(slot)) < 1e-5);
    }
  }
}
