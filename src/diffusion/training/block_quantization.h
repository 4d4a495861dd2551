// SPDX-License-Identifier: Apache-2.0
// Float32 values in eight bits, block by block (Dettmers et al. 2022, "8-bit optimizers via
// block-wise quantization"): each block of 256 values is scaled by its largest magnitude, and every
// value becomes the nearest entry of the dynamic tree map, whose entries cover seven decades.
#pragma once

#include <ATen/core/Tensor.h>

namespace affiche::diffusion {

inline constexpr std::int64_t kQuantizationBlock = 256;

enum class QuantizationMap { Signed, Unsigned };

struct Quantized {
  at::Tensor codes;   // uint8, one per value
  at::Tensor scales;  // float32, one per block
};

// 256 rising float32 entries from -1 (0 when unsigned) to 1.
const at::Tensor& quantization_entries(QuantizationMap map);
// `values`: float32, contiguous, of any shape. Unsigned: 0 or more; what is above 0 stays above 0.
Quantized quantize(const at::Tensor& values, QuantizationMap map);
// Float32 in the shape given.
at::Tensor dequantize(const Quantized& quantized, QuantizationMap map, at::IntArrayRef shape);

}  // namespace affiche::diffusion
