// SPDX-License-Identifier: Apache-2.0
// The tensors that a file has for one module, taken out part by part by the format that knows them.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace affiche::diffusion {

class ModuleTensors {
 public:
  // `file` and `stem` (the tensors' names without their endings) are for messages.
  ModuleTensors(std::string file, std::string stem)
      : file_(std::move(file)), stem_(std::move(stem)) {}

  // Files the tensor `key` under `part` (tensor_names.h), copied to memory. BadInput when the part
  // is there already, the tensor is empty, not of floating point or not finite.
  void add(const std::string& part, const std::string& key, const at::Tensor& tensor);

  bool has(const std::string& part) const { return parts_.contains(part); }
  // Takes a part out; undefined when there is none.
  at::Tensor take(const std::string& part);
  // The same, BadInput when there is none or it has another number of dimensions.
  at::Tensor need(const std::string& part, const std::vector<std::int64_t>& dimensions);
  // BadInput, naming the tensor, when something has not been taken.
  void finish() const;

  [[noreturn]] void refuse(const std::string& message) const;

  const std::string& stem() const { return stem_; }

 private:
  struct Part {
    std::string key;
    at::Tensor tensor;
  };
  std::string file_, stem_;
  std::map<std::string, Part> parts_;
};

}  // namespace affiche::diffusion
