// SPDX-License-Identifier: Apache-2.0
// A LoRA file's layers under another format's names.
#pragma once

#include <string>
#include <vector>

#include "diffusion/lora/adapters.h"

namespace affiche::diffusion {

enum class LoraLayout {
  Peft,     // unet.….lora_A.weight; no alpha: the scale is multiplied into lora_B
  Kohya,    // lora_unet_….lora_down.weight with .alpha, modules as diffusers names them
  KohyaLdm  // the same, the UNet's modules as the original code names them
};

// The tensors of the layers in `report.matched`, which must be of this file and these targets.
// PEFT's keep their dtype where the scale is a power of two and are float32 elsewhere, so that the
// change stays the same. BadInput, naming the module, for what the layout cannot say: LoHa, LoKr
// and magnitudes by input in PEFT's, modules that the original code does not have. Thread-safe.
StateDict rename_lora(const LoraFile& file, const LoraReport& report,
                      const std::vector<AdapterTarget>& targets, LoraLayout layout);

}  // namespace affiche::diffusion
