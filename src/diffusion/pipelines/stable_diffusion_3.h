// SPDX-License-Identifier: Apache-2.0
// Text to picture as diffusers' StableDiffusion3Pipeline, for Stable Diffusion 3 and 3.5.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/sd3_transformer_2d_model.h"
#include "diffusion/nn/t5_encoder_model.h"
#include "diffusion/pipelines/transformer_pipeline.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/text/t5_tokenizer.h"

namespace affiche::diffusion {

class StableDiffusion3Pipeline : public TransformerPipeline {
 public:
  static constexpr const char* kClass = "StableDiffusion3Pipeline";

  // Errors as load_pipeline(), which opens the checkpoint of files.model. A model without its third
  // text encoder runs with zeros in its place, as in diffusers.
  static std::unique_ptr<Pipeline> load(Checkpoint checkpoint, const ModelFiles& files,
                                        at::ScalarType dtype, at::Device device);

 private:
  struct Parts {
    CLIPTokenizer tokenizer, tokenizer_2;
    std::unique_ptr<CLIPTextModel> text_encoder, text_encoder_2;
    std::optional<T5Tokenizer> tokenizer_3;
    std::unique_ptr<T5EncoderModel> text_encoder_3;  // null: the model has none
    std::unique_ptr<SD3Transformer2DModel> transformer;
  };

  StableDiffusion3Pipeline(Parts parts, Family family, Shared shared)
      : TransformerPipeline(std::move(family), std::move(shared)), parts_(std::move(parts)) {}
  void check(const GenerateRequest&, std::vector<std::string>&) const override {}
  PromptEmbeds encode(const GenerateRequest& request, const Plan& plan,
                      std::vector<std::string>& warnings) const override;
  RunOptions schedule(const Plan& plan, double mu) const override;
  at::Tensor pack(const at::Tensor& latents, const Plan&) const override { return latents; }
  at::Tensor unpack(const at::Tensor& latents, const Plan&) const override { return latents; }
  at::Tensor predict(const at::Tensor& latents, const at::Tensor& timestep, const Text& text,
                     const Plan& plan) const override;

  // Context and pooled state of one side; prompts for the three encoders.
  std::pair<at::Tensor, at::Tensor> encode_side(
      const std::vector<std::vector<std::string>>& prompts, std::optional<int> clip_skip,
      const Plan& plan, std::vector<std::string>& warnings) const;

  Parts parts_;
};

}  // namespace affiche::diffusion
