// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/pipeline.h"

#include <algorithm>

#include "base/error.h"
#include "diffusion/pipelines/flux.h"
#include "diffusion/pipelines/out_of_memory.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/pipelines/stable_diffusion_3.h"

namespace affiche::diffusion {
namespace {

std::unique_ptr<Pipeline> load(const ModelFiles& files, at::ScalarType dtype, at::Device device) {
  Checkpoint checkpoint = open_checkpoint(files.model, files.options);
  if (checkpoint.pipeline_class == StableDiffusion3Pipeline::kClass) {
    return StableDiffusion3Pipeline::load(std::move(checkpoint), files, dtype, device);
  }
  if (checkpoint.pipeline_class == FluxPipeline::kClass) {
    return FluxPipeline::load(std::move(checkpoint), files, dtype, device);
  }
  const std::vector<std::string> known = pipeline_classes();
  if (std::find(known.begin(), known.end(), checkpoint.pipeline_class) == known.end()) {
    fail(Cause::BadInput, files.model.string(),
         ": expected a model of the families Stable Diffusion 1.x, 2.x, XL, 3 or Flux.1, found a ",
         checkpoint.pipeline_class);
  }
  return StableDiffusionPipeline::load(std::move(checkpoint), files, dtype, device);
}

}  // namespace

std::vector<std::string> Pipeline::apply_textual_inversions(
    const std::vector<TextualInversionChoice>& choices, const CheckpointOptions&) {
  if (choices.empty()) return {};
  fail(Cause::Usage, choices.front().file.string(),
       ": textual inversion is for models of Stable Diffusion 1.x, 2.x and XL; leave it out");
}

std::unique_ptr<Pipeline> load_pipeline(const ModelFiles& files, at::ScalarType dtype,
                                        at::Device device) {
  try {
    return load(files, dtype, device);
  } catch (...) {
    rethrow_out_of_memory(concat("loading ", files.model.string()),
                          "take --dtype bf16, which needs half of fp32, or free some");
  }
}

}  // namespace affiche::diffusion
