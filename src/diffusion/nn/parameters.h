// SPDX-License-Identifier: Apache-2.0
// The registry of a network's tensors. Every layer owns its tensors and registers the places where
// they lie; whoever changes weights (loading, adapters, training) assigns other tensors there.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

struct Slot {
  std::string name;    // as in the checkpoint
  at::Tensor* tensor;  // undefined until loaded or initialized
  std::vector<std::int64_t> shape;
};

// Not thread-safe; forward passes only read the slots, so they may run in parallel while nobody
// assigns. Not copied or moved: slots point into the layers beside it.
class Parameters {
 public:
  Parameters() = default;
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  void add(const std::string& name, at::Tensor& tensor, std::vector<std::int64_t> shape);
  // `other` is a name under which older checkpoints keep the slot `name`.
  void alias(const std::string& other, const std::string& name);

  // In order of registration.
  const std::vector<Slot>& slots() const { return slots_; }
  // nullptr when there is no such slot; aliases are found too.
  const Slot* find(const std::string& name) const;
  std::int64_t element_count() const;

  // Assigns every slot from `tensors[prefix + name]`, converted to `dtype` on `device` (shared, not
  // copied, when nothing changes). Names without the prefix are not looked at; position_ids are
  // ignored; weights stored with trailing 1x1 dimensions fit two-dimensional slots. BadInput,
  // naming `what` and the tensor: missing or unknown tensors, other shapes, values that are not
  // finite.
  void load(const StateDict& tensors, at::ScalarType dtype, at::Device device,
            const std::string& prefix = "", const std::string& what = "weights");
  // The tensors of all slots by name, shared with the network.
  StateDict state_dict() const;

 private:
  std::vector<Slot> slots_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace affiche::diffusion
