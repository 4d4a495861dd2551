// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/parameters.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

std::string text(at::IntArrayRef shape) {
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    result += concat(i > 0 ? ", " : "", shape[i]);
  }
  return result + "]";
}

// Convolutions of size 1x1 and linear layers hold the same numbers.
at::Tensor squeezed(const at::Tensor& tensor, const std::vector<std::int64_t>& shape) {
  if (shape.size() != 2 || tensor.dim() <= 2) return tensor;
  for (std::int64_t i = 2; i < tensor.dim(); ++i) {
    if (tensor.size(i) != 1) return tensor;
  }
  return tensor.reshape({tensor.size(0), tensor.size(1)});
}

// A mapped tensor that fits stays mapped, shared with other processes. One that must be copied is
// copied to the order in which convolutions are quickest.
at::Tensor convert(const at::Tensor& tensor, const at::TensorOptions& options) {
  const bool fits = tensor.scalar_type() == c10::typeMetaToScalarType(options.dtype()) &&
                    tensor.device() == options.device();
  // A kernel of one pixel lies the same way in both orders, but its strides would then make
  // convolutions of pictures that lie in the usual order switch to the other.
  const bool one_pixel = tensor.dim() == 4 && tensor.size(2) == 1 && tensor.size(3) == 1;
  if (fits || tensor.dim() != 4 || one_pixel) return tensor.to(options);
  return tensor.to(options.memory_format(at::MemoryFormat::ChannelsLast));
}

bool finite(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return true;
  const auto [least, most] = at::aminmax(tensor);
  return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
}

bool ends_with_position_ids(const std::string& name) {
  return name == "position_ids" || name.ends_with(".position_ids");
}

}  // namespace

void Parameters::add(const std::string& name, at::Tensor& tensor, std::vector<std::int64_t> shape) {
  if (!index_.emplace(name, slots_.size()).second) {
    fail(Cause::Internal, "the slot \"", name, "\" is registered twice");
  }
  slots_.push_back({name, &tensor, std::move(shape)});
}

void Parameters::alias(const std::string& other, const std::string& name) {
  index_.emplace(other, index_.at(name));
}

const Slot* Parameters::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &slots_[found->second];
}

std::int64_t Parameters::element_count() const {
  std::int64_t count = 0;
  for (const Slot& slot : slots_) {
    std::int64_t product = 1;
    for (const std::int64_t extent : slot.shape) product *= extent;
    count += product;
  }
  return count;
}

void Parameters::load(const StateDict& tensors, at::ScalarType dtype, at::Device device,
                      const std::string& prefix, const std::string& what) {
  std::vector<at::Tensor> found(slots_.size());
  for (auto it = tensors.lower_bound(prefix); it != tensors.end(); ++it) {
    const auto& [full, tensor] = *it;
    if (!full.starts_with(prefix)) break;
    if (ends_with_position_ids(full)) continue;
    const auto index = index_.find(full.substr(prefix.size()));
    if (index == index_.end()) {
      fail(Cause::BadInput, what, ": the tensor \"", full,
           "\" belongs to no layer of this network");
    }
    const Slot& slot = slots_[index->second];
    if (found[index->second].defined()) {
      fail(Cause::BadInput, what, ": \"", full, "\" and another name both mean \"", slot.name,
           "\"");
    }
    const at::Tensor fitting = squeezed(tensor, slot.shape);
    if (fitting.sizes() != at::IntArrayRef(slot.shape)) {
      fail(Cause::BadInput, what, ": tensor \"", full, "\": expected the shape ", text(slot.shape),
           ", found ", text(tensor.sizes()));
    }
    at::Tensor converted = convert(fitting, at::TensorOptions().dtype(dtype).device(device));
    if (!finite(converted)) {
      fail(Cause::BadInput, what, ": tensor \"", full, "\": holds values that are not finite as ",
           c10::toString(dtype), "; the file is damaged or needs a wider dtype");
    }
    found[index->second] = std::move(converted);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!found[i].defined()) {
      fail(Cause::BadInput, what, ": the tensor \"", prefix, slots_[i].name, "\" is missing");
    }
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) *slots_[i].tensor = std::move(found[i]);
}

StateDict Parameters::state_dict() const {
  StateDict result;
  for (const Slot& slot : slots_) result.emplace(slot.name, *slot.tensor);
  return result;
}

}  // namespace affiche::diffusion
