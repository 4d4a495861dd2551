// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/merge_loras.h"

#include "diffusion/pipelines/lora_networks.h"

namespace affiche::diffusion {

MergedModel merge_loras(const std::filesystem::path& from, const std::filesystem::path& to,
                        const std::vector<LoraUse>& uses, const ConvertOptions& options) {
  Checkpoint checkpoint = open_checkpoint(from, options.read);
  LoraNetworks networks(checkpoint, from.string());
  networks.load(checkpoint);
  AdapterStack stack(networks.targets());
  MergedModel merged;
  merged.loras = stack.apply(uses);
  networks.store(checkpoint);
  merged.warnings = write_model(checkpoint, from, to, options);
  return merged;
}

}  // namespace affiche::diffusion
