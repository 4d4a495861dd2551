// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/module_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"

namespace affiche::diffusion {

void ModuleTensors::add(const std::string& part, const std::string& key, const at::Tensor& tensor) {
  const auto bad = [&](const std::string& message) {
    fail(Cause::BadInput, file_, ": tensor \"", key, "\": ", message);
  };
  if (!tensor.is_floating_point()) bad("expected floating point numbers");
  if (tensor.numel() == 0) bad("expected at least one number");
  if (!at::isfinite(tensor.to(at::kFloat)).all().item<bool>()) {
    bad("holds values that are not finite");
  }
  if (const auto other = parts_.find(part); other != parts_.end()) {
    bad(concat("the module has \"", other->second.key, "\" too"));
  }
  // Files are mapped; a swap must not read the disk.
  parts_.emplace(part, Part{key, tensor.clone()});
}

at::Tensor ModuleTensors::take(const std::string& part) {
  const auto found = parts_.find(part);
  if (found == parts_.end()) return {};
  at::Tensor tensor = std::move(found->second.tensor);
  parts_.erase(found);
  return tensor;
}

at::Tensor ModuleTensors::need(const std::string& part,
                               const std::vector<std::int64_t>& dimensions) {
  const auto found = parts_.find(part);
  if (found == parts_.end()) refuse(concat("its ", part, " is missing"));
  if (std::find(dimensions.begin(), dimensions.end(), found->second.tensor.dim()) ==
      dimensions.end()) {
    fail(Cause::BadInput, file_, ": tensor \"", found->second.key, "\": expected ",
         at::IntArrayRef(dimensions), " dimensions, found ", found->second.tensor.dim());
  }
  return take(part);
}

void ModuleTensors::finish() const {
  if (parts_.empty()) return;
  fail(Cause::BadInput, file_, ": tensor \"", parts_.begin()->second.key,
       "\": does not belong to the method of the module's other tensors");
}

void ModuleTensors::refuse(const std::string& message) const {
  fail(Cause::BadInput, file_, ": tensor \"", stem_, "\": ", message);
}

}  // namespace affiche::diffusion
