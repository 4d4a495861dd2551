// SPDX-License-Identifier: Apache-2.0
// What diffusers' pipelines for Stable Diffusion 1.x, 2.x and XL do, number for number: pictures
// from text, from pictures, into holes and beyond edges, enlarged, and led by ControlNets.
//
// A pipeline owns its networks, a request its scheduler and random generators; there is no global
// state. generate() is const: several threads may generate with one pipeline, as long as none
// changes its LoRAs meanwhile.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/pipeline.h"

namespace affiche::diffusion {

class StableDiffusionPipeline : public Pipeline {
 public:
  // Errors as load_components(). dtype: kFloat, kBFloat16 or kHalf.
  static std::unique_ptr<StableDiffusionPipeline> load(const ModelFiles& files,
                                                       at::ScalarType dtype, at::Device device);
  // The same of files.model's checkpoint, opened before.
  static std::unique_ptr<StableDiffusionPipeline> load(Checkpoint checkpoint,
                                                       const ModelFiles& files,
                                                       at::ScalarType dtype, at::Device device);
  static std::unique_ptr<StableDiffusionPipeline> from_folder(const std::filesystem::path& folder,
                                                              at::ScalarType dtype,
                                                              at::Device device);

  // Usage for contradictory options, BadInput for an unknown scheduler, Cancelled within one step
  // or stage, Unavailable when memory runs out, Internal when a network's output is not finite (the
  // autoencoder's: in float32 either).
  Generation generate(const GenerateRequest& request, const Watch& watch = {}) const override;
  Traits traits() const override {
    return {parts_.scheduler, parts_.is_xl(), parts_.is_upscaler()};
  }
  std::vector<AdapterTarget> adapter_targets() override;
  std::vector<std::string> apply_textual_inversions(
      const std::vector<TextualInversionChoice>& choices,
      const CheckpointOptions& options = {}) override;

  Components& components() { return parts_; }
  const Components& components() const { return parts_; }

 private:
  struct Run;
  StableDiffusionPipeline(Components parts, at::ScalarType dtype, at::Device device);
  void run(const GenerateRequest& request, Run& run, const Watch& watch, Generation& result) const;
  Generation once(const GenerateRequest& request, const at::Tensor& first_pass,
                  const Watch& watch) const;
  Generation stages(const GenerateRequest& request, const at::Tensor& first_pass,
                    const Watch& watch, Run& run) const;

  Components parts_;
  at::ScalarType dtype_;
  at::Device device_;
};

}  // namespace affiche::diffusion
