// SPDX-License-Identifier: Apache-2.0
// Text to picture as diffusers' FluxPipeline, for Flux.1 dev and schnell.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/flux_transformer_2d_model.h"
#include "diffusion/nn/t5_encoder_model.h"
#include "diffusion/pipelines/transformer_pipeline.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/text/t5_tokenizer.h"

namespace affiche::diffusion {

class FluxPipeline : public TransformerPipeline {
 public:
  static constexpr const char* kClass = "FluxPipeline";

  // Errors as load_pipeline(), which opens the checkpoint of files.model.
  static std::unique_ptr<Pipeline> load(Checkpoint checkpoint, const ModelFiles& files,
                                        at::ScalarType dtype, at::Device device);

 private:
  struct Parts {
    CLIPTokenizer tokenizer;
    std::unique_ptr<CLIPTextModel> text_encoder;
    T5Tokenizer tokenizer_2;
    std::unique_ptr<T5EncoderModel> text_encoder_2;
    std::unique_ptr<FluxTransformer2DModel> transformer;
  };

  FluxPipeline(Parts parts, Family family, Shared shared)
      : TransformerPipeline(std::move(family), std::move(shared)), parts_(std::move(parts)) {}
  void check(const GenerateRequest& request, std::vector<std::string>& warnings) const override;
  PromptEmbeds encode(const GenerateRequest& request, const Plan& plan,
                      std::vector<std::string>& warnings) const override;
  RunOptions schedule(const Plan& plan, double mu) const override;
  // B x C x h x w <-> B x (h/2 w/2) x 4 C.
  at::Tensor pack(const at::Tensor& latents, const Plan& plan) const override;
  at::Tensor unpack(const at::Tensor& latents, const Plan& plan) const override;
  at::Tensor predict(const at::Tensor& latents, const at::Tensor& timestep, const Text& text,
                     const Plan& plan) const override;

  Parts parts_;
};

}  // namespace affiche::diffusion
