// SPDX-License-Identifier: Apache-2.0
// LoRA on a set of networks: any number of files at once, each with a weight, swapped without
// touching the weights as loaded.
#pragma once

#include <functional>
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

// What became of a file's layers. `module` is the tensors' common name in the file.
struct LoraReport {
  struct Match {
    std::string module;
    std::string slot;    // "unet.mid_block.….weight"
    std::string method;  // WeightChange::method()
    std::int64_t rank = 0;
  };
  struct Mismatch {
    std::string module;
    std::string slot;                           // the weight it is meant for
    std::vector<std::int64_t> expected, found;  // shapes of that weight and of the change
  };
  std::string file;
  std::vector<Match> matched;
  std::vector<std::string> unmatched;  // modules that these networks do not have
  std::vector<Mismatch> mismatched;    // left out
  std::vector<std::string> ignored;    // tensors left out: see LoraUse::dora_scale
  bool changes_nothing = false;        // nothing matched, or every change that matched is zero
};

struct LoraUse {
  std::shared_ptr<const LoraFile> file;
  double weight = 1.0;
  // Whether tensors named dora_scale count. diffusers (0.42) drops them and uses the file as plain
  // LoRA, so that is the default; with true the adapter does what its trainer meant. PEFT's
  // lora_magnitude_vector always counts, there as here.
  bool dora_scale = false;
};

// Not thread-safe; nobody may run the networks during apply() and remove().
class AdapterStack {
 public:
  explicit AdapterStack(std::vector<AdapterTarget> targets);
  AdapterStack(const AdapterStack&) = delete;
  AdapterStack& operator=(const AdapterStack&) = delete;

  // Makes every touched slot  W + sum over uses of delta(W, weight), computed in float32 from the
  // weights W as loaded, in the slot's dtype and device; what was applied before is gone. This is
  // what diffusers does with several adapters, DoRA among them. Reads no file. Modules may occur
  // in several uses. One report per use. BadInput when a file changes nothing or has two changes
  // for one weight, Usage when a weight is not finite or there are no targets; then nothing
  // changed. When memory runs out, nothing is worn. A slot that was changed before may keep its
  // tensor, with other numbers.
  std::vector<LoraReport> apply(const std::vector<LoraUse>& uses);
  // What apply() would report. BadInput when two of the file's changes are for one weight.
  LoraReport inspect(const LoraFile& file, bool dora_scale = false) const;
  // Puts the very tensors back that were loaded. The memory of the results is kept for the next
  // apply(): a swap then needs none from the system, which would cost more than the sum.
  void remove();
  // How many slots differ from what was loaded.
  std::size_t touched() const { return pristine_.size(); }

 private:
  struct Found {
    at::Tensor* slot = nullptr;
    std::string name;
    std::vector<std::int64_t> shape;
  };
  struct Fit {
    at::Tensor* slot;
    WeightChange change;
  };
  // Undefined slot when no network has the module.
  Found find(const std::string& module) const;
  void add_kohya_names(const AdapterTarget& target);
  LoraReport match(const LoraFile& file, bool dora_scale, std::vector<Fit>& fits) const;
  void wear(const std::map<at::Tensor*, std::vector<WeightedChange>>& changes);
  at::Tensor memory_for(at::Tensor* slot);
  void take_off(const std::function<bool(at::Tensor*)>& which);
  std::vector<AdapterTarget> targets_;
  std::map<std::string, Found> kohya_;          // by the file's module name
  std::map<at::Tensor*, at::Tensor> pristine_;  // as loaded, for the slots that are changed
  std::map<at::Tensor*, at::Tensor> spare_;     // memory for results, of slots that are not
};

}  // namespace affiche::diffusion
