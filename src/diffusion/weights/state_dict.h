// SPDX-License-Identifier: Apache-2.0
// Tensors by name, as a weight file holds them.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace affiche::diffusion {

using StateDict = std::map<std::string, at::Tensor>;

}  // namespace affiche::diffusion
