// SPDX-License-Identifier: Apache-2.0
// The number formats of GGUF files. Quantised ones keep blocks of numbers as small integers with a
// shared scale; the layouts are those of ggml (ggml-common.h), the values those of the gguf package
// to the last bit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace affiche::diffusion {

struct GgufType {
  std::uint32_t id;       // as in the file
  std::string_view name;  // "Q4_K"
  std::int64_t elements;  // of a block
  std::int64_t bytes;     // of a block
  // One block to `elements` floats; nullptr for plain numbers and for types that are only known by
  // name.
  void (*dequantize)(const std::uint8_t* block, float* out);
};

// Nothing for ids that no version of the format has.
const GgufType* gguf_type(std::uint32_t id);

}  // namespace affiche::diffusion
