// SPDX-License-Identifier: Apache-2.0
#include "bench/full_size_configs.h"

namespace affiche::bench {
namespace {

using Json = nlohmann::ordered_json;

Json text_encoder(const char* class_name, int width, int layers, int heads, const char* act,
                  int projection) {
  return {{"architectures", {class_name}},
          {"model_type", "clip_text_model"},
          {"vocab_size", 49408},
          {"max_position_embeddings", 77},
          {"bos_token_id", 49406},
          {"eos_token_id", 49407},
          {"hidden_size", width},
          {"intermediate_size", 4 * width},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"hidden_act", act},
          {"layer_norm_eps", 1e-5},
          {"projection_dim", projection}};
}

Json autoencoder(double scaling_factor, int sample_size, bool force_upcast) {
  const Json down(4, "DownEncoderBlock2D"), up(4, "UpDecoderBlock2D");
  return {{"_class_name", "AutoencoderKL"},
          {"act_fn", "silu"},
          {"block_out_channels", {128, 256, 512, 512}},
          {"down_block_types", down},
          {"up_block_types", up},
          {"force_upcast", force_upcast},
          {"in_channels", 3},
          {"out_channels", 3},
          {"latent_channels", 4},
          {"layers_per_block", 2},
          {"norm_num_groups", 32},
          {"sample_size", sample_size},
          {"scaling_factor", scaling_factor}};
}

Json unet(const Json& family) {
  Json json = {{"_class_name", "UNet2DConditionModel"},
               {"act_fn", "silu"},
               {"center_input_sample", false},
               {"downsample_padding", 1},
               {"flip_sin_to_cos", true},
               {"freq_shift", 0},
               {"in_channels", 4},
               {"out_channels", 4},
               {"layers_per_block", 2},
               {"mid_block_scale_factor", 1},
               {"norm_eps", 1e-5},
               {"norm_num_groups", 32}};
  json.update(family);
  return json;
}

Json tokenizer(const char* pad) {
  return {{"tokenizer_class", "CLIPTokenizer"},
          {"model_max_length", 77},
          {"bos_token", "<|startoftext|>"},
          {"eos_token", "<|endoftext|>"},
          {"unk_token", "<|endoftext|>"},
          {"pad_token", pad},
          {"do_lower_case", true},
          {"errors", "replace"},
          {"add_prefix_space", false}};
}

Json scheduler(const char* class_name) {
  return {{"_class_name", class_name},   {"beta_start", 0.00085},
          {"beta_end", 0.012},           {"beta_schedule", "scaled_linear"},
          {"num_train_timesteps", 1000}, {"prediction_type", "epsilon"},
          {"steps_offset", 1},           {"timestep_spacing", "leading"},
          {"trained_betas", nullptr}};
}

Json pair(const char* library, const char* name) {
  return Json::array({library, name});
}

}  // namespace

FullSizeConfigs sd15_configs() {
  FullSizeConfigs model;
  model.index = {{"_class_name", "StableDiffusionPipeline"},
                 {"scheduler", pair("diffusers", "PNDMScheduler")},
                 {"text_encoder", pair("transformers", "CLIPTextModel")},
                 {"tokenizer", pair("transformers", "CLIPTokenizer")},
                 {"unet", pair("diffusers", "UNet2DConditionModel")},
                 {"vae", pair("diffusers", "AutoencoderKL")}};
  model.parts["text_encoder"] = text_encoder("CLIPTextModel", 768, 12, 12, "quick_gelu", 768);
  model.parts["vae"] = autoencoder(0.18215, 512, false);
  model.parts["unet"] = unet(
      {{"attention_head_dim", 8},
       {"block_out_channels", {320, 640, 1280, 1280}},
       {"cross_attention_dim", 768},
       {"down_block_types",
        {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}},
       {"up_block_types",
        {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}},
       {"sample_size", 64}});
  model.tokenizers["tokenizer"] = tokenizer("<|endoftext|>");
  model.scheduler = scheduler("PNDMScheduler");
  model.scheduler["set_alpha_to_one"] = false;
  model.scheduler["skip_prk_steps"] = true;
  return model;
}

FullSizeConfigs sdxl_configs() {
  FullSizeConfigs model;
  model.index = {{"_class_name", "StableDiffusionXLPipeline"},
                 {"force_zeros_for_empty_prompt", true},
                 {"scheduler", pair("diffusers", "EulerDiscreteScheduler")},
                 {"text_encoder", pair("transformers", "CLIPTextModel")},
                 {"text_encoder_2", pair("transformers", "CLIPTextModelWithProjection")},
                 {"tokenizer", pair("transformers", "CLIPTokenizer")},
                 {"tokenizer_2", pair("transformers", "CLIPTokenizer")},
                 {"unet", pair("diffusers", "UNet2DConditionModel")},
                 {"vae", pair("diffusers", "AutoencoderKL")}};
  model.parts["text_encoder"] = text_encoder("CLIPTextModel", 768, 12, 12, "quick_gelu", 768);
  model.parts["text_encoder_2"] =
      text_encoder("CLIPTextModelWithProjection", 1280, 32, 20, "gelu", 1280);
  model.parts["vae"] = autoencoder(0.13025, 1024, true);
  model.parts["unet"] =
      unet({{"addition_embed_type", "text_time"},
            {"addition_time_embed_dim", 256},
            {"projection_class_embeddings_input_dim", 2816},
            {"attention_head_dim", {5, 10, 20}},
            {"block_out_channels", {320, 640, 1280}},
            {"cross_attention_dim", 2048},
            {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}},
            {"up_block_types", {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"}},
            {"transformer_layers_per_block", {1, 2, 10}},
            {"use_linear_projection", true},
            {"sample_size", 128}});
  model.tokenizers["tokenizer"] = tokenizer("<|endoftext|>");
  model.tokenizers["tokenizer_2"] = tokenizer("!");
  model.scheduler = scheduler("EulerDiscreteScheduler");
  model.scheduler["interpolation_type"] = "linear";
  return model;
}

}  // namespace affiche::bench
