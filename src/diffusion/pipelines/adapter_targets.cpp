// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/adapter_targets.h"

namespace affiche::diffusion {

std::vector<AdapterTarget> adapter_targets(Parameters& unet, Parameters& text_encoder,
                                           Parameters* text_encoder_2) {
  std::vector<AdapterTarget> targets = {{"unet", {"lora_unet"}, &unet}};
  if (text_encoder_2 != nullptr) {
    targets.push_back({"text_encoder", {"lora_te1"}, &text_encoder});
    targets.push_back({"text_encoder_2", {"lora_te2"}, text_encoder_2});
  } else {
    targets.push_back({"text_encoder", {"lora_te", "lora_te1"}, &text_encoder});
  }
  return targets;
}

std::vector<AdapterTarget> adapter_targets(Components& parts) {
  return adapter_targets(parts.unet->parameters(), parts.text_encoder->parameters(),
                         parts.is_xl() ? &parts.text_encoder_2->parameters() : nullptr);
}

}  // namespace affiche::diffusion
