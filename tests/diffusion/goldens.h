// SPDX-License-Identifier: Apache-2.0
// Reference data made with the Python libraries; tests/data/goldens/README.md says how.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {

// In the checkout, or packed there and unpacked by the build: files whose numbers repeat.
inline std::filesystem::path golden(const std::filesystem::path& name) {
  const auto plain = std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens" / name;
  if (std::filesystem::exists(plain)) return plain;
  return std::filesystem::path(AFFICHE_BINARY_DIR) / "goldens" / name;
}

// Single files, which the build unpacks.
inline std::filesystem::path unpacked(const std::filesystem::path& name) {
  return std::filesystem::path(AFFICHE_BINARY_DIR) / "goldens" / name;
}

inline Json golden_json(const std::filesystem::path& name) {
  return parse_json(read_text(golden(name)), name.string(), true);
}

// The largest absolute difference.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  const double difference = (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
  return std::isnan(difference) ? INFINITY : difference;
}

}  // namespace affiche::diffusion
