// SPDX-License-Identifier: Apache-2.0
// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes,
// row-major and little-endian (https://github.com/huggingface/safetensors#format).
// All functions may be called from any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// Maps the file and returns tensors that lie in the mapping: they are read-only (writing to one
// ends the program) and keep the mapping alive. Tensors whose bytes are not aligned to their
// element size are copied. Dtypes: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, F8_E4M3,
// F8_E5M2. The whole header is checked before any tensor is made; BadInput names the file and the
// tensor.
StateDict load_safetensors(const std::filesystem::path& path);

// The `__metadata__` of the header, empty when there is none. Checks as load_safetensors() does.
std::map<std::string, std::string> safetensors_metadata(const std::filesystem::path& path);

// Writes the tensors in name order, contiguous, each in its own dtype, or floating-point ones in
// `floats`. Tensors are converted and written one after the other, to a temporary file that is then
// renamed, so memory stays flat whatever the size. Device tensors are copied to the CPU first.
// Usage when a dtype has no safetensors name; write errors as AtomicFile.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {},
                      std::optional<at::ScalarType> floats = std::nullopt);

// "F16", "BF16", …; "" for a dtype that safetensors does not have.
std::string_view safetensors_dtype(at::ScalarType type);

}  // namespace affiche::diffusion
