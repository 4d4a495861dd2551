// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/block_quantization.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace affiche::diffusion {
namespace {

// The paper's dynamic tree quantization for eight bits: decade by decade, each with twice the
// entries of the one below, at the middle of equal parts of [0.1, 1]; and 0 and 1.
at::Tensor make_entries(QuantizationMap map) {
  const bool is_signed = map == QuantizationMap::Signed;
  std::vector<float> entries = {0, 1};
  for (int decade = 0; decade < 7; ++decade) {
    const int parts = (is_signed ? 1 : 2) << decade;
    for (int i = 0; i < parts; ++i) {
      const double middle = 0.1 + 0.9 * (i + 0.5) / parts;
      const auto value = static_cast<float>(middle * std::pow(10.0, decade - 6));
      entries.push_back(value);
      if (is_signed) entries.push_back(-value);
    }
  }
  std::sort(entries.begin(), entries.end());
  return at::tensor(entries);
}

at::Tensor make_borders(QuantizationMap map) {
  const at::Tensor& entries = quantization_entries(map);
  at::Tensor borders = (entries.slice(0, 1) + entries.slice(0, 0, -1)) / 2;
  // A second moment of 0 would divide by next to nothing.
  if (map == QuantizationMap::Unsigned) borders[0] = 0;
  return borders;
}

const at::Tensor& borders_of(QuantizationMap map) {
  static const at::Tensor with_sign = make_borders(QuantizationMap::Signed),
                          without = make_borders(QuantizationMap::Unsigned);
  return map == QuantizationMap::Signed ? with_sign : without;
}

// Rows of a block each; the last one padded with zeros.
at::Tensor in_blocks(const at::Tensor& flat) {
  const std::int64_t rest =
      (kQuantizationBlock - flat.numel() % kQuantizationBlock) % kQuantizationBlock;
  return (rest > 0 ? at::constant_pad_nd(flat, {0, rest}) : flat).view({-1, kQuantizationBlock});
}

}  // namespace

const at::Tensor& quantization_entries(QuantizationMap map) {
  static const at::Tensor with_sign = make_entries(QuantizationMap::Signed),
                          without = make_entries(QuantizationMap::Unsigned);
  return map == QuantizationMap::Signed ? with_sign : without;
}

Quantized quantize(const at::Tensor& values, QuantizationMap map) {
  const at::Tensor blocks = in_blocks(values.flatten());
  const at::Tensor scales = blocks.abs().amax(1);
  // A block of zeros stays one.
  const at::Tensor unit = blocks / scales.clamp_min(1e-38).unsqueeze(1);
  const at::Tensor codes =
      at::bucketize(unit, borders_of(map).to(values.device()), true).to(at::kByte);
  return {codes.flatten().slice(0, 0, values.numel()).contiguous(), scales};
}

at::Tensor dequantize(const Quantized& quantized, QuantizationMap map, at::IntArrayRef shape) {
  const at::Tensor entries = quantization_entries(map).to(quantized.codes.device());
  const at::Tensor unit = entries.index_select(0, quantized.codes.to(at::kInt));
  const std::int64_t count = unit.numel();
  return (in_blocks(unit) * quantized.scales.unsqueeze(1)).flatten().slice(0, 0, count).view(shape);
}

}  // namespace affiche::diffusion
