// SPDX-License-Identifier: Apache-2.0
// A model that is loaded and ready, of whichever family.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/generation.h"
#include "diffusion/pipelines/request.h"
#include "diffusion/pipelines/textual_inversions.h"

namespace affiche::diffusion {

// generate() may run in several threads at once, as long as none changes the networks meanwhile.
class Pipeline {
 public:
  virtual ~Pipeline() = default;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // What the family makes of a request that leaves it open.
  struct Traits {
    CheckpointScheduler scheduler;  // the model's own
    bool reads_sizes = false;       // MicroConditions
    bool enlarges = false;          // noise_level
  };
  virtual Traits traits() const = 0;

  // Usage for options that contradict each other or that the family does not take (by name),
  // BadInput for an unknown scheduler, Cancelled within one step or stage, Unavailable when memory
  // runs out, Internal when a network's output is not finite (the autoencoder's: in float32
  // either).
  virtual Generation generate(const GenerateRequest& request, const Watch& watch = {}) const = 0;
  // The networks that LoRA files may change; none in families that wear no LoRA. They live as long
  // as the pipeline.
  virtual std::vector<AdapterTarget> adapter_targets() { return {}; }
  // As the free function; Usage, when there are any, in families that take none.
  virtual std::vector<std::string> apply_textual_inversions(
      const std::vector<TextualInversionChoice>& choices, const CheckpointOptions& options = {});

 protected:
  Pipeline() = default;
};

// Of any class in pipeline_classes(). Errors as load_components(), and Usage for parts of `files`
// that the family does not replace. dtype: kFloat, kBFloat16 or kHalf.
std::unique_ptr<Pipeline> load_pipeline(const ModelFiles& files, at::ScalarType dtype,
                                        at::Device device);

}  // namespace affiche::diffusion
