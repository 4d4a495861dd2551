// SPDX-License-Identifier: Apache-2.0
// Asking tensors for their sizes by name, with errors instead of assumptions.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// A view for the length of one call; errors name `what`.
class Shapes {
 public:
  Shapes(const StateDict& tensors, std::string what) : tensors_(tensors), what_(std::move(what)) {}

  bool has(const std::string& name) const { return tensors_.contains(name); }
  const std::string& what() const { return what_; }
  const StateDict& tensors() const { return tensors_; }

  std::int64_t size(const std::string& name, std::int64_t dimension) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      fail(Cause::BadInput, what_, ": the tensor \"", name, "\" is missing");
    }
    if (found->second.dim() <= dimension || found->second.size(dimension) == 0) {
      fail(Cause::BadInput, what_, ": tensor \"", name, "\": expected more than ", dimension,
           " dimensions, none of them empty, found the shape ", found->second.sizes());
    }
    return found->second.size(dimension);
  }

  // Published models normalise in groups of this number; what does not divide cannot be told.
  void check_groups(const std::vector<std::int64_t>& widths, std::int64_t groups) const {
    for (const std::int64_t width : widths) {
      if (width % groups == 0) continue;
      fail(Cause::BadInput, what_, ": expected widths that are multiples of ", groups, ", found ",
           width,
           "; this file does not say how its layers are grouped: give the model as a folder ",
           "with config.json, or the file in place of a part of such a folder");
    }
  }

 private:
  const StateDict& tensors_;
  std::string what_;
};

// A list, or one number when all are equal, as configurations are usually written.
inline Json one_or_list(const std::vector<std::int64_t>& values) {
  const bool equal =
      std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  return equal && !values.empty() ? Json(values.front()) : Json(values);
}

// `stated` by the tensors, the rest from the configuration of the part that is replaced when its
// widths are these, else `assumed`, which is only asked for then.
template <typename Assume>
Json completed(Json stated, const Json* like, const Assume& assume) {
  const bool fits = like != nullptr && like->is_object() &&
                    like->value("block_out_channels", Json()) == stated["block_out_channels"];
  Json config = fits ? *like : Json(assume());
  for (auto& [key, value] : stated.items()) config[key] = value;
  return config;
}

}  // namespace affiche::diffusion
