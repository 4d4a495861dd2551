// SPDX-License-Identifier: Apache-2.0
#include "fuzz/read_all.h"

#include <ATen/ATen.h>

namespace affiche::fuzz {

void read_all(const diffusion::StateDict& tensors) {
  // A hostile stride may repeat one byte a million times; reading some of it is enough.
  constexpr std::int64_t kMost = 1 << 20;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.numel() == 0) continue;
    const at::Tensor first = tensor.flatten().narrow(0, 0, 1);
    static_cast<void>(first.to(at::kDouble).sum().item<double>());
    if (tensor.numel() <= kMost) {
      static_cast<void>(tensor.to(at::kDouble).sum().item<double>());
    }
  }
}

}  // namespace affiche::fuzz
