// SPDX-License-Identifier: Apache-2.0
// GGUF files, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): a
// header of typed keys, a list of tensors, then their data.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

struct GgufFile {
  // Plain numbers are mapped read-only; quantised tensors are float32, each value exactly that of
  // the gguf package. Row-major shapes, the reverse of the file's.
  StateDict tensors;
  std::map<std::string, std::string> types;     // of every tensor, "Q4_K"
  std::map<std::string, std::string> metadata;  // keys with a string, such as general.architecture
};

// Types: F32, F16, BF16, F64, I8 to I64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL,
// IQ4_XS. BadInput names the file and the tensor; every count and offset is checked before it is
// used.
GgufFile load_gguf(const std::filesystem::path& path);

// Whether the file starts as a GGUF file does.
bool is_gguf(const std::filesystem::path& path);

}  // namespace affiche::diffusion
