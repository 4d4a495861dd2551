// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/adapter_targets.h"

namespace affiche::diffusion {

std::vector<AdapterTarget> adapter_targets(Components& parts) {
  std::vector<AdapterTarget> targets = {{"unet", {"lora_unet"}, &parts.unet->parameters()}};
  if (parts.is_xl()) {
    targets.push_back({"text_encoder", {"lora_te1"}, &parts.text_encoder->parameters()});
    targets.push_back({"text_encoder_2", {"lora_te2"}, &parts.text_encoder_2->parameters()});
  } else {
    targets.push_back({"text_encoder", {"lora_te", "lora_te1"}, &parts.text_encoder->parameters()});
  }
  return targets;
}

}  // namespace affiche::diffusion
