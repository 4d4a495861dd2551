// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/clip_text_model.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr double kTolerance = 2e-5;

std::filesystem::path folder(const std::string& model) {
  const bool second = model == "sdxl_2";
  return std::filesystem::path("models") / (second ? "sdxl" : model) /
         (second ? "text_encoder_2" : "text_encoder");
}

StateDict weights(const std::string& model) {
  return load_safetensors(golden(folder(model) / "model.safetensors"));
}

std::unique_ptr<CLIPTextModel> load_text_model(const std::string& model, const StateDict& tensors) {
  auto text = std::make_unique<CLIPTextModel>(CLIPTextConfig::from_json(
      golden_json(folder(model) / "config.json"),
      model == "sdxl_2" ? "CLIPTextModelWithProjection" : "CLIPTextModel"));
  text->parameters().load(tensors, at::kFloat, at::kCPU);
  return text;
}

}  // namespace

TEST_CASE("the text encoder's hidden states are those of the reference") {
  for (const std::string model :
       {"sd15", "sd21", "sd15-inpaint", "lcm", "x4-upscaler", "sdxl", "sdxl_2"}) {
    const std::string file = model == "sdxl_2" ? "sdxl" : model;
    const std::string suffix = model == "sdxl_2" ? "_2" : "";
    const auto text = load_text_model(model, weights(model));
    const StateDict expected = load_safetensors(golden("text_encoders/" + file + ".safetensors"));
    const CLIPTextModel::Output output = text->forward(expected.at("input_ids" + suffix));
    const at::Tensor& hidden = expected.at("hidden_states" + suffix);
    REQUIRE(static_cast<std::int64_t>(output.hidden_states.size()) == hidden.size(1));
    for (std::int64_t i = 0; i < hidden.size(1); ++i) {
      INFO(model << " layer " << i);
      CHECK(distance(output.hidden_states[static_cast<std::size_t>(i)], hidden.select(1, i)) <
            kTolerance);
    }
    INFO(model);
    CHECK(distance(output.last_hidden_state, expected.at("last_hidden_state" + suffix)) <
          kTolerance);
    CHECK(output.text_embeds.defined() == (model == "sdxl_2"));
    if (model == "sdxl_2") {
      CHECK(distance(output.text_embeds, expected.at("text_embeds_2")) < kTolerance);
    } else {
      CHECK(distance(output.pooled, expected.at("pooled")) < kTolerance);
    }
  }
}

TEST_CASE("states before the last one go through the final norm for clip skip") {
  for (const std::string model : {"sd15", "sd21"}) {
    const auto text = load_text_model(model, weights(model));
    const StateDict expected = load_safetensors(golden("text_encoders/" + model + ".safetensors"));
    const CLIPTextModel::Output output = text->forward(expected.at("input_ids"));
    for (const std::size_t skip : {1U, 2U}) {
      const at::Tensor& state = output.hidden_states[output.hidden_states.size() - 1 - skip];
      CHECK(distance(text->final_norm(state),
                     expected.at(concat("prompt_embeds_clip_skip_", skip))) < kTolerance);
    }
  }
}

TEST_CASE("SDXL's text is made of both encoders' earlier states without the final norm") {
  const StateDict expected = load_safetensors(golden("text_encoders/sdxl.safetensors"));
  std::vector<std::vector<at::Tensor>> states;
  for (const auto& [model, ids] :
       {std::pair<std::string, std::string>{"sdxl", "input_ids"}, {"sdxl_2", "input_ids_2"}}) {
    states.push_back(
        load_text_model(model, weights(model))->forward(expected.at(ids)).hidden_states);
  }
  for (const auto& [skip, back] :
       {std::pair<std::string, std::size_t>{"None", 2}, {"1", 3}, {"2", 4}}) {
    if (states[0].size() < back) continue;
    const at::Tensor both =
        at::cat({states[0][states[0].size() - back], states[1][states[1].size() - back]}, -1);
    CHECK(distance(both, expected.at("prompt_embeds_clip_skip_" + skip)) < kTolerance);
  }
}

TEST_CASE("text encoders of full size have the tensors that their configs imply") {
  Json big = golden_json(folder("sdxl_2") / "config.json");
  big.update({{"vocab_size", 49408},
              {"hidden_size", 1280},
              {"intermediate_size", 5120},
              {"num_hidden_layers", 32},
              {"num_attention_heads", 20},
              {"projection_dim", 1280}});
  const CLIPTextModel second(CLIPTextConfig::from_json(big, "CLIPTextModelWithProjection"));
  CHECK(second.parameters().element_count() == 694'659'840);
  CHECK(second.parameters().find("text_projection.weight") != nullptr);
  const CLIPTextModel without(CLIPTextConfig::from_json(big, "CLIPTextModel"));
  CHECK(without.parameters().element_count() == 694'659'840 - 1280 * 1280);
  CHECK_THROWS_AS(CLIPTextConfig::from_json(big, "CLIPModel"), Error);
}

TEST_CASE("text encoder checkpoints load without their prefix and with position_ids") {
  StateDict bare;
  for (const auto& [name, tensor] : weights("sd15")) {
    bare.emplace(name.substr(std::string("text_model.").size()), tensor);
  }
  bare.emplace("embeddings.position_ids", at::arange(77).unsqueeze(0));
  const auto text = load_text_model("sd15", bare);
  const StateDict expected = load_safetensors(golden("text_encoders/sd15.safetensors"));
  CHECK(distance(text->forward(expected.at("input_ids")).last_hidden_state,
                 expected.at("last_hidden_state")) < kTolerance);
}

TEST_CASE("the pooled state is taken at the first end of text, or the highest id in old files") {
  Json config = golden_json(folder("sd15") / "config.json");
  at::Tensor ids = at::full({1, 8}, 5, at::kLong);
  ids[0][3] = 700;
  ids[0][5] = 700;
  ids[0][6] = 1000;
  for (const auto& [eos, place] : {std::pair<int, int>{700, 3}, {2, 6}}) {
    config["eos_token_id"] = eos;
    CLIPTextModel text(CLIPTextConfig::from_json(config));
    text.parameters().load(weights("sd15"), at::kFloat, at::kCPU);
    const CLIPTextModel::Output output = text.forward(ids);
    CHECK(distance(output.pooled, output.last_hidden_state.select(1, place)) == 0.0);
  }
}

TEST_CASE("added embeddings stand for the ids after the vocabulary and leave no trace") {
  const auto text = load_text_model("sd15", weights("sd15"));
  const at::Tensor known = at::tensor({1512, 7, 9, 1513}, at::kLong).unsqueeze(0);
  const at::Tensor added = at::tensor({1512, 1515, 9, 1513}, at::kLong).unsqueeze(0);
  const at::Tensor before = text->forward(known).last_hidden_state;
  const at::Tensor table =
      text->parameters().state_dict().at("text_model.embeddings.token_embedding.weight");
  // The second row is that of id 7, so both texts must mean the same.
  text->set_added_embeddings(at::stack({at::ones({32}), table[7]}));
  CHECK(at::equal(text->forward(added).last_hidden_state, before));
  CHECK(at::equal(text->forward(known).last_hidden_state, before));
  CHECK_THROWS_AS(text->forward(at::full({1, 4}, 1516, at::kLong)), Error);
  CHECK_THROWS_AS(text->set_added_embeddings(at::ones({2, 31})), Error);
  CHECK_THROWS_AS(text->set_added_embeddings(at::ones({32})), Error);
  text->set_added_embeddings(at::Tensor());
  CHECK_THROWS_AS(text->forward(added), Error);
  CHECK(table.data_ptr() == text->parameters()
                                .state_dict()
                                .at("text_model.embeddings.token_embedding.weight")
                                .data_ptr());
}

TEST_CASE("ids outside the vocabulary and texts that are too long are refused") {
  const auto text = load_text_model("sd15", weights("sd15"));
  CHECK_THROWS_AS(text->forward(at::full({1, 77}, 1514, at::kLong)), Error);
  CHECK_THROWS_AS(text->forward(at::full({1, 77}, -1, at::kLong)), Error);
  CHECK_THROWS_AS(text->forward(at::full({1, 78}, 1, at::kLong)), Error);
}

TEST_CASE("text encoder options that are not built are refused by their key") {
  const std::pair<const char*, Json> options[] = {{"hidden_act", "relu"},
                                                  {"model_type", "t5"},
                                                  {"num_attention_heads", 5},
                                                  {"relative_attention", true},
                                                  {"hidden_size", "32"}};
  for (const auto& [key, value] : options) {
    Json config = golden_json(folder("sd15") / "config.json");
    config[key] = value;
    INFO(key);
    try {
      CLIPTextConfig::from_json(config);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(concat("\"", key, "\"")) != std::string::npos);
    }
  }
}
