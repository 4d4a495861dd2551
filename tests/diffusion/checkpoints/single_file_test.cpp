// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "catch.h"
#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/request_json.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/weights/torch_pickle.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;
using test::contains;
using test::thrown;
namespace fs = std::filesystem;

namespace {

StateDict sd15() {
  return load_torch_state_dict(unpacked("sd15.ckpt"));
}

fs::path saved(const test::TemporaryFolder& folder, const StateDict& tensors,
               const std::map<std::string, std::string>& metadata = {}) {
  save_safetensors(folder / "model.safetensors", tensors, metadata);
  return folder / "model.safetensors";
}

std::string error_of(const StateDict& tensors) {
  test::TemporaryFolder folder;
  const fs::path file = saved(folder, tensors);
  return thrown([&] { open_checkpoint(file); });
}

// Tensors of `part` as the folder's network holds them, and as the file gave them.
bool same(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && at::equal(x.second.flatten(), y.second.flatten());
  });
}

}  // namespace

TEST_CASE("a single file gives the picture that diffusers gives with it") {
  for (const auto& [kind, file] :
       {std::pair{"sd15_ckpt", "sd15.ckpt"}, std::pair{"sdxl", "sdxl.safetensors"}}) {
    INFO(kind);
    const std::string name = concat("formats/single_", kind, "_expected");
    Json json = golden_json(name + ".json");
    const Json tolerance = json["tolerance"];
    const Json scheduler = json["scheduler"];
    json.erase("tolerance");
    json.erase("scheduler");  // the file's own
    ModelFiles files;
    files.model = unpacked(file);
    files.options.allow_pickle = true;
    const auto pipeline = StableDiffusionPipeline::load(files, at::kFloat, at::kCPU);
    const Generation made = pipeline->generate(read_request(json, ".", name).request);
    const StateDict expected = load_safetensors(golden(name + ".safetensors"));
    CHECK(made.scheduler == scheduler);
    CHECK(distance(made.latents, expected.at("latents")[-1]) < tolerance["latents"].get<double>());
    CHECK(distance(made.decoded.permute({0, 2, 3, 1}), expected.at("image")) <
          tolerance["image"].get<double>());
  }
}

TEST_CASE("a .ckpt file is off until it is allowed, and then the same model") {
  const std::string error = thrown([] { open_checkpoint(unpacked("sd15.ckpt")); });
  CHECK(error.starts_with("refused"));
  CHECK(contains(error, "--allow-pickle"));
  test::TemporaryFolder folder;
  const Checkpoint plain = open_checkpoint(saved(folder, sd15()));
  const Checkpoint pickled = open_checkpoint(unpacked("sd15.ckpt"), {.allow_pickle = true});
  CHECK(pickled.pipeline_class == "StableDiffusionPipeline");
  for (const char* part : {"unet", "vae", "text_encoder"}) {
    CHECK(same(plain.parts.at(part).weights, pickled.parts.at(part).weights));
    CHECK(plain.parts.at(part).config == pickled.parts.at(part).config);
  }
  CHECK(pickled.warnings.empty());
}

TEST_CASE("a single SDXL file states its architecture by its tensors") {
  const Checkpoint model = open_checkpoint(unpacked("sdxl.safetensors"));
  CHECK(model.pipeline_class == "StableDiffusionXLPipeline");
  const Json& unet = model.parts.at("unet").config;
  CHECK(unet["block_out_channels"] == Json({32, 32, 32}));
  CHECK(unet["transformer_layers_per_block"] == Json({1, 1, 2}));
  CHECK(unet["attention_head_dim"] == 1);
  CHECK(unet["cross_attention_dim"] == 10);
  CHECK(unet["use_linear_projection"] == true);
  CHECK(unet["addition_embed_type"] == "text_time");
  CHECK(unet["projection_class_embeddings_input_dim"] == 1546);
  CHECK(unet["down_block_types"] ==
        Json({"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}));
  CHECK(model.parts.at("vae").config["scaling_factor"] == 0.13025);
  CHECK(model.parts.at("text_encoder").class_name == "CLIPTextModel");
  CHECK(model.parts.at("text_encoder").config["hidden_act"] == "quick_gelu");
  const CheckpointPart& second = model.parts.at("text_encoder_2");
  CHECK(second.class_name == "CLIPTextModelWithProjection");
  CHECK(second.config["hidden_act"] == "gelu");
  CHECK(second.config["projection_dim"] == 10);
  CHECK(second.weights.at("text_projection.weight").sizes() == at::IntArrayRef({10, 6}));
  CHECK(model.schedulers.at("scheduler").class_name == "EulerDiscreteScheduler");
  CHECK(model.tokenizers.at("tokenizer").pad() == 49407);
  CHECK(model.tokenizers.at("tokenizer_2").pad() == 0);
  CHECK(model.index["force_zeros_for_empty_prompt"] == true);
}

TEST_CASE("a lone VAE with the original names is the folder's VAE") {
  const CheckpointPart folder = open_part(golden("models/sd21/vae"), "AutoencoderKL");
  const CheckpointPart file =
      open_part(golden("formats/vae-only-ldm.safetensors"), "AutoencoderKL", {}, &folder.config);
  CHECK(same(file.weights, folder.weights));
  CHECK(file.config == folder.config);
  // Without the part that it replaces, nothing says how its eight channels are grouped.
  const std::string error =
      thrown([] { open_part(golden("formats/vae-only-ldm.safetensors"), "AutoencoderKL"); });
  CHECK(contains(error, "multiples of 32, found 8"));
  CHECK(contains(error, "config.json"));
}

TEST_CASE("a GGUF file in place of a UNet gives the reference's picture") {
  const Json config = golden_json("models/sd21/unet/config.json");
  const fs::path file = golden("formats/sd21-unet-Q4.gguf");
  const CheckpointPart part = open_part(file, "UNet2DConditionModel", {}, &config);
  for (const auto& [key, value] : config.items()) {
    INFO(key);
    CHECK(part.config[key] == value);
  }
  ModelFiles files;
  files.model = golden("models/sd21");
  files.unet = file;
  const auto pipeline = StableDiffusionPipeline::load(files, at::kFloat, at::kCPU);
  GenerateRequest request;
  request.prompts = {"a copper kettle"};
  request.negative_prompts = {"shadow"};
  request.seeds = {8};
  request.num_inference_steps = 4;
  request.guidance_scale = 5.0;
  request.width = request.height = 64;
  const Generation made = pipeline->generate(request);
  const StateDict expected = load_safetensors(golden("formats/gguf_expected.safetensors"));
  CHECK(distance(made.latents, expected.at("Q4.latents")) < 1e-4);
}

TEST_CASE("TAESD's own files are read as diffusers' folder is") {
  const CheckpointPart folder = open_part(golden("models/taesd"), "AutoencoderTiny");
  StateDict tensors;
  for (const auto& [name, tensor] : folder.weights) {
    // encoder.layers.3.… is encoder.3.…, and the decoder counts its clamp.
    const bool decoder = name.starts_with("decoder.");
    const std::size_t dot = name.find('.', 15);
    const int layer = std::stoi(name.substr(15, dot - 15)) + (decoder ? 1 : 0);
    tensors[concat(decoder ? "decoder." : "encoder.", layer, name.substr(dot))] = tensor;
  }
  test::TemporaryFolder place;
  const CheckpointPart file = open_part(saved(place, tensors), "AutoencoderKL");
  CHECK(file.class_name == "AutoencoderTiny");
  CHECK(same(file.weights, folder.weights));
  for (const char* key : {"num_encoder_blocks", "num_decoder_blocks", "encoder_block_out_channels",
                          "decoder_block_out_channels", "latent_channels", "scaling_factor"}) {
    INFO(key);
    CHECK(file.config[key] == folder.config[key]);
  }
}

TEST_CASE("a GGUF file as a whole model is refused with the remedy") {
  const std::string error = thrown([] { open_checkpoint(golden("formats/sd21-unet-Q4.gguf")); });
  CHECK(contains(error, "--unet"));
}

TEST_CASE("files that are no model of ours are refused by what they are") {
  const at::Tensor one = at::zeros({1});
  const std::pair<StateDict, const char*> cases[] = {
      {{{"double_blocks.0.img_attn.norm.key_norm.scale", one}}, "a Flux model"},
      {{{"model.diffusion_model.joint_blocks.0.context_block.x", one}},
       "a Stable Diffusion 3 model"},
      {{{"conditioner.embedders.0.model.text_projection", one}}, "an SDXL refiner"},
      {{{"lora_unet_x.lora_down.weight", one}}, "--lora"},
      {{{"first_stage_model.encoder.conv_in.weight", one}}, "a lone AutoencoderKL"},
      {{{"control_model.time_embed.0.weight", one}}, "a lone ControlNetModel"},
      {{{"something.else", one}}, "something.else"}};
  for (const auto& [tensors, part] : cases) {
    const std::string error = error_of(tensors);
    INFO(error);
    CHECK(error.starts_with("bad_input"));
    CHECK(contains(error, part));
    CHECK(contains(error, "model.safetensors"));
  }
}

TEST_CASE("a damaged single file is refused by the name of the tensor") {
  const std::string prefix = "model.diffusion_model.";
  StateDict tensors = sd15();
  tensors.erase(prefix + "input_blocks.4.0.in_layers.2.weight");
  CHECK(contains(error_of(tensors), "input_blocks.4.0"));
  tensors = sd15();
  tensors[prefix + "input_blocks.4.0.more.weight"] = at::zeros({1});
  CHECK(contains(error_of(tensors), "input_blocks.4.0.more.weight"));
  tensors = sd15();
  tensors.erase("first_stage_model.decoder.conv_in.weight");
  CHECK(contains(error_of(tensors), "decoder.conv_in.weight"));
  tensors = sd15();
  tensors[prefix + "input_blocks.0.0.weight"] = at::zeros({32, 8, 3, 3});
  CHECK(contains(error_of(tensors), "InstructPix2Pix"));
}

TEST_CASE("tensors that belong to no part of a single file are reported") {
  test::TemporaryFolder folder;
  StateDict tensors = sd15();
  tensors["mystery.weight"] = at::zeros({1});
  const Checkpoint model = open_checkpoint(saved(folder, tensors));
  REQUIRE(model.warnings.size() == 1);
  CHECK(contains(model.warnings[0], "mystery.weight"));
}

TEST_CASE("what a single file states about its prediction is taken and said") {
  test::TemporaryFolder folder;
  StateDict tensors = sd15();
  CHECK(open_checkpoint(saved(folder, tensors, {{"modelspec.prediction_type", "v"}}))
            .schedulers.at("scheduler")
            .config["prediction_type"] == "v_prediction");
  tensors["v_pred"] = at::zeros({1});
  tensors["ztsnr"] = at::zeros({1});
  const Checkpoint model = open_checkpoint(saved(folder, tensors));
  const Json& config = model.schedulers.at("scheduler").config;
  CHECK(config["prediction_type"] == "v_prediction");
  CHECK(config["rescale_betas_zero_snr"] == true);
  REQUIRE(model.warnings.size() == 1);
  CHECK(contains(model.warnings[0], "v_prediction"));
}
