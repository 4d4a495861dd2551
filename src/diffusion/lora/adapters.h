// SPDX-License-Identifier: Apache-2.0
// LoRA on a set of networks: any number of files at once, each with a weight, swapped without
// touching the weights as loaded.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/lora/lora_file.h"
#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// A network that files may name.
struct AdapterTarget {
  std::string name;                         // "unet", "text_encoder": PEFT's prefix
  std::vector<std::string> kohya_prefixes;  // {"lora_unet"}, {"lora_te", "lora_te1"}
  Parameters* parameters = nullptr;         // outlives the stack
};

// What became of a file's layers.
struct LoraReport {
  struct Mismatch {
    std::string module;                         // as in the file
    std::string slot;                           // the weight it is meant for
    std::vector<std::int64_t> expected, found;  // shapes; found: what up * down would be
  };
  std::string file;
  std::vector<std::string> matched;    // "unet.mid_block.….weight"
  std::vector<std::string> unmatched;  // modules that these networks do not have
  std::vector<Mismatch> mismatched;    // left out
};

struct LoraUse {
  std::shared_ptr<const LoraFile> file;
  double weight = 1.0;
};

// Not thread-safe; nobody may run the networks during apply() and remove().
class AdapterStack {
 public:
  explicit AdapterStack(std::vector<AdapterTarget> targets);
  AdapterStack(const AdapterStack&) = delete;
  AdapterStack& operator=(const AdapterStack&) = delete;

  // Makes every touched slot  W + sum over uses of weight * scale * up * down, computed in fp32
  // from the weights as loaded, in the slot's dtype and device; what was applied before is gone.
  // Modules may occur in several uses. One report per use. BadInput when a file matches nothing,
  // Usage when a weight is not finite; then nothing changed.
  std::vector<LoraReport> apply(const std::vector<LoraUse>& uses);
  // Puts the very tensors back that were loaded.
  void remove();
  // How many slots differ from what was loaded.
  std::size_t touched() const { return pristine_.size(); }

 private:
  struct Found {
    at::Tensor* slot = nullptr;
    std::string name;
    std::vector<std::int64_t> shape;
  };
  // Undefined slot when no network has the module.
  Found find(const std::string& module) const;
  std::vector<AdapterTarget> targets_;
  std::map<std::string, Found> kohya_;          // by the file's module name
  std::map<at::Tensor*, at::Tensor> pristine_;  // as loaded, for the slots that are changed
};

}  // namespace affiche::diffusion
