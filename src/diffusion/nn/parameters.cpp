// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/parameters.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "base/error.h"
#include "diffusion/kernels/convert_weights.h"

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

bool finite(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return true;
  const auto [least, most] = at::aminmax(tensor);
  return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
}

struct Found {
  at::Tensor tensor;                  // of the slot's shape
  const std::string* name = nullptr;  // in the file
};

// The order of memory in which convolutions are quickest. A kernel of one pixel lies the same way
// in both, but its strides would make convolutions of pictures that lie in the usual order switch
// to the other.
at::MemoryFormat quickest_order(const at::Tensor& tensor) {
  const bool area = tensor.dim() == 4 && (tensor.size(2) > 1 || tensor.size(3) > 1);
  return area ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

// Every slot's tensor in the wanted dtype, checked. A mapped one that fits stays mapped, shared
// with other processes. One that must be copied is copied to quickest_order().
std::vector<at::Tensor> convert(const std::vector<Found>& found, at::ScalarType dtype,
                                at::Device device, const std::string& what) {
  const auto refuse = [&](const Found& bad) {
    fail(Cause::BadInput, what, ": tensor \"", *bad.name,
         "\": holds values that are not finite as ", c10::toString(dtype),
         "; the file is damaged or needs a wider dtype");
  };
  const auto stays = [&](const at::Tensor& tensor) {
    return tensor.scalar_type() == dtype && tensor.device() == device;
  };
  const auto quick = [&](const at::Tensor& tensor) {
    return device.is_cpu() && tensor.is_cpu() && tensor.is_contiguous() &&
           can_convert(tensor.scalar_type(), dtype);
  };
  std::vector<at::Tensor> result;
  std::vector<Conversion> conversions;
  std::vector<std::size_t> slots;  // of the conversions
  for (const Found& each : found) {
    at::Tensor tensor = each.tensor;
    if (!quick(tensor)) {
      const auto options = at::TensorOptions().dtype(dtype).device(device);
      if (!stays(tensor)) {
        tensor = tensor.to(options.memory_format(quickest_order(tensor)));
      }
      if (!finite(tensor)) refuse(each);
    } else {
      if (!stays(tensor)) {
        tensor = at::empty(tensor.sizes(),
                           at::TensorOptions().dtype(dtype).memory_format(quickest_order(tensor)));
      }
      conversions.push_back({each.tensor, tensor});
      slots.push_back(result.size());
    }
    result.push_back(tensor);
  }
  if (const auto bad = convert_weights(conversions)) refuse(found[slots[*bad]]);
  return result;
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
  std::vector<Found> found(slots_.size());
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
    if (found[index->second].name != nullptr) {
      fail(Cause::BadInput, what, ": \"", full, "\" and another name both mean \"", slot.name,
           "\"");
    }
    const at::Tensor fitting = squeezed(tensor, slot.shape);
    if (fitting.sizes() != at::IntArrayRef(slot.shape)) {
      fail(Cause::BadInput, what, ": tensor \"", full, "\": expected the shape ", text(slot.shape),
           ", found ", text(tensor.sizes()));
    }
    found[index->second] = {fitting, &full};
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (found[i].name == nullptr) {
      fail(Cause::BadInput, what, ": the tensor \"", prefix, slots_[i].name, "\" is missing");
    }
  }
  std::vector<at::Tensor> converted = convert(found, dtype, device, what);
  for (std::size_t i = 0; i < slots_.size(); ++i) *slots_[i].tensor = std::move(converted[i]);
}

StateDict Parameters::state_dict() const {
  StateDict result;
  for (const Slot& slot : slots_) result.emplace(slot.name, *slot.tensor);
  return result;
}

}  // namespace affiche::diffusion
