// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/architecture.h"

#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/tokenizer/learn_bpe.h"

namespace affiche::diffusion {
namespace {

constexpr int kTextWidth = 128;
constexpr const char* kDiffusers = "0.35.0";  // whose key names the files follow

Json model_index() {
  return {{"_class_name", "StableDiffusionPipeline"},
          {"_diffusers_version", kDiffusers},
          {"feature_extractor", {nullptr, nullptr}},
          {"requires_safety_checker", false},
          {"safety_checker", {nullptr, nullptr}},
          {"scheduler", {"diffusers", "DDIMScheduler"}},
          {"text_encoder", {"transformers", "CLIPTextModel"}},
          {"tokenizer", {"transformers", "CLIPTokenizer"}},
          {"unet", {"diffusers", "UNet2DConditionModel"}},
          {"vae", {"diffusers", "AutoencoderKL"}}};
}

// Flat dark and light grounds need a last step without any signal (Lin et al. 2024, "Common
// diffusion noise schedules and sample steps are flawed"): zero terminal SNR, v-prediction, and
// trailing timesteps that visit that step.
Json scheduler() {
  return {{"_class_name", "DDIMScheduler"},
          {"_diffusers_version", kDiffusers},
          {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"},
          {"beta_start", 0.00085},
          {"clip_sample", false},
          {"num_train_timesteps", 1000},
          {"prediction_type", "v_prediction"},
          {"rescale_betas_zero_snr", true},
          {"set_alpha_to_one", true},
          {"steps_offset", 1},
          {"timestep_spacing", "trailing"}};
}

Json text_encoder(std::size_t vocabulary) {
  return {{"architectures", {"CLIPTextModel"}},
          {"attention_dropout", 0.0},
          {"bos_token_id", vocabulary - 2},
          {"eos_token_id", vocabulary - 1},
          {"hidden_act", "quick_gelu"},
          {"hidden_size", kTextWidth},
          {"initializer_factor", 1.0},
          {"initializer_range", 0.02},
          {"intermediate_size", 4 * kTextWidth},
          {"layer_norm_eps", 1e-05},
          {"max_position_embeddings", kTextPositions},
          {"model_type", "clip_text_model"},
          {"num_attention_heads", 4},
          {"num_hidden_layers", 3},
          {"pad_token_id", vocabulary - 1},
          {"projection_dim", kTextWidth},
          {"vocab_size", vocabulary}};
}

Json unet() {
  return {{"_class_name", "UNet2DConditionModel"},
          {"_diffusers_version", kDiffusers},
          {"act_fn", "silu"},
          {"attention_head_dim", 4},
          {"block_out_channels", {48, 96, 192}},
          {"center_input_sample", false},
          {"cross_attention_dim", kTextWidth},
          {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"}},
          {"downsample_padding", 1},
          {"flip_sin_to_cos", true},
          {"freq_shift", 0},
          {"in_channels", 4},
          {"layers_per_block", 1},
          {"mid_block_scale_factor", 1},
          {"norm_eps", 1e-05},
          {"norm_num_groups", 16},
          {"out_channels", 4},
          {"sample_size", 32},
          {"up_block_types", {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"}}};
}

Json autoencoder() {
  const std::vector<std::string> down(4, "DownEncoderBlock2D"), up(4, "UpDecoderBlock2D");
  return {{"_class_name", "AutoencoderKL"},
          {"_diffusers_version", kDiffusers},
          {"act_fn", "silu"},
          {"block_out_channels", {16, 32, 64, 64}},
          {"down_block_types", down},
          {"force_upcast", false},
          {"in_channels", 3},
          {"latent_channels", 4},
          {"layers_per_block", 1},
          {"norm_num_groups", 2},
          {"out_channels", 3},
          {"sample_size", 256},
          {"scaling_factor", 1.0},
          {"up_block_types", up}};
}

void write(const std::filesystem::path& file, const Json& json) {
  write_atomically(file, json.dump(2) + "\n");
}

}  // namespace

void write_architecture(const std::filesystem::path& folder) {
  std::vector<std::string> captions;
  for (std::uint64_t seed = 0; seed < 40'000; ++seed)
    captions.push_back(caption(random_scene(seed)));
  const Vocabulary vocabulary = learn_bpe(captions, 1000);
  write_tokenizer(folder / "tokenizer", vocabulary, kTextPositions);
  write(folder / "model_index.json", model_index());
  write(folder / "scheduler" / "scheduler_config.json", scheduler());
  write(folder / "text_encoder" / "config.json", text_encoder(vocabulary.tokens.size()));
  write(folder / "unet" / "config.json", unet());
  write(folder / "vae" / "config.json", autoencoder());
}

}  // namespace affiche::diffusion
