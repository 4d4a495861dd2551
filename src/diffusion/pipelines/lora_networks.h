// SPDX-License-Identifier: Apache-2.0
// The networks of a model that LoRA files may change, without the rest of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"

namespace affiche::diffusion {

class LoraNetworks {
 public:
  // The networks as `checkpoint` describes them; their slots are empty. `what` names the model in
  // errors: BadInput when it has no UNet with text encoders.
  LoraNetworks(const Checkpoint& checkpoint, const std::string& what);

  // Fills the slots, each network's in the dtype that most of its numbers have.
  void load(const Checkpoint& checkpoint);
  // The tensors of all slots, in place of those that the parts had.
  void store(Checkpoint& checkpoint) const;

  // They live as long as this object.
  std::vector<AdapterTarget> targets();

 private:
  struct Part {
    std::string name;
    Parameters* parameters;
  };
  std::vector<Part> parts() const;

  std::unique_ptr<UNet2DConditionModel> unet_;
  std::unique_ptr<CLIPTextModel> text_encoder_, text_encoder_2_;
};

}  // namespace affiche::diffusion
