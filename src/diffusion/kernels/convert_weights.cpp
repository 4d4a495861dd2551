// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/convert_weights.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

namespace affiche::diffusion {
namespace {

// Elements that are converted at once: with their float32 intermediate they stay in the cache.
constexpr std::int64_t kPiece = std::int64_t{1} << 15;

// Rows [begin, end) of a conversion's source seen as matrix; a row of a convolution is one filter.
struct Piece {
  std::size_t conversion;
  std::int64_t begin, end;
};

std::int64_t row_length(const at::Tensor& tensor) {
  return tensor.dim() < 2 ? 1 : tensor.numel() / tensor.size(0);
}

bool permutes(const Conversion& conversion) {
  return conversion.target.dim() == 4 && !conversion.target.is_contiguous();
}

std::vector<Piece> cut(const std::vector<Conversion>& conversions) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < conversions.size(); ++i) {
    const at::Tensor& source = conversions[i].source;
    if (source.numel() == 0) continue;
    const std::int64_t length = row_length(source), rows = source.numel() / length;
    const std::int64_t step = std::max<std::int64_t>(1, kPiece / length);
    for (std::int64_t row = 0; row < rows; row += step) {
      pieces.push_back({i, row, std::min(rows, row + step)});
    }
  }
  return pieces;
}

// A number whose exponent has all bits set is infinite or none at all.
template <typename Bits>
bool finite_bits(const void* data, std::int64_t count, Bits exponent) {
  const auto* values = static_cast<const Bits*>(data);
  Bits found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    found = static_cast<Bits>(found | ((values[i] & exponent) == exponent ? 1 : 0));
  }
  return found == 0;
}

bool finite(const void* data, std::int64_t count, at::ScalarType type) {
  if (type == at::kHalf) return finite_bits<std::uint16_t>(data, count, 0x7c00);
  if (type == at::kBFloat16) return finite_bits<std::uint16_t>(data, count, 0x7f80);
  return finite_bits<std::uint32_t>(data, count, 0x7f800000);
}

// Raw tensors have no say in inference mode, which other threads than the caller's are not in.
at::Tensor flat(void* data, std::int64_t count, at::ScalarType type) {
  return at::from_blob(data, {count}, at::TensorOptions().dtype(type));
}

// From filters of in x k x k to k x k x in.
template <typename Bits>
void permute_rows(const void* from, void* to, std::int64_t rows, std::int64_t channels,
                  std::int64_t area) {
  const auto* in = static_cast<const Bits*>(from);
  auto* out = static_cast<Bits*>(to);
  for (std::int64_t row = 0; row < rows; ++row, in += channels * area, out += channels * area) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t k = 0; k < area; ++k) out[k * channels + c] = in[c * area + k];
    }
  }
}

struct Scratch {
  std::unique_ptr<std::uint8_t[]> wide, narrow;  // a piece as float32, and in the target's dtype
  std::int64_t capacity = 0;

  void reserve(std::int64_t count) {
    if (count <= capacity) return;
    wide = std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(count) * sizeof(float));
    narrow = std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(count) * sizeof(float));
    capacity = count;
  }
};

void convert_run(void* from, at::ScalarType from_type, void* to, at::ScalarType to_type,
                 std::int64_t count, Scratch& scratch) {
  if (from_type == to_type) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * c10::elementSize(to_type));
    return;
  }
  at::Tensor source = flat(from, count, from_type);
  if (from_type != at::kFloat && to_type != at::kFloat) {
    // libtorch has no quick way from one 16-bit format to the other.
    at::Tensor wide = flat(scratch.wide.get(), count, at::kFloat);
    wide.copy_(source);
    source = wide;
  }
  at::Tensor target = flat(to, count, to_type);
  target.copy_(source);
}

// Whether the values are finite in the target.
bool convert_piece(const Conversion& conversion, const Piece& piece, Scratch& scratch) {
  const at::Tensor& source = conversion.source;
  const at::Tensor& target = conversion.target;
  const std::int64_t length = row_length(source), count = (piece.end - piece.begin) * length;
  const auto at_row = [&](const at::Tensor& tensor) -> void* {
    return static_cast<std::uint8_t*>(const_cast<void*>(tensor.const_data_ptr())) +
           static_cast<std::size_t>(piece.begin * length) * tensor.element_size();
  };
  const at::ScalarType type = target.scalar_type();
  if (source.is_same(target)) return finite(at_row(source), count, type);
  scratch.reserve(count);
  const bool permuted = permutes(conversion);
  void* place = permuted ? scratch.narrow.get() : at_row(target);
  convert_run(at_row(source), source.scalar_type(), place, type, count, scratch);
  if (!finite(place, count, type)) return false;
  if (permuted) {
    const auto permute =
        c10::elementSize(type) == 2 ? permute_rows<std::uint16_t> : permute_rows<std::uint32_t>;
    permute(place, at_row(target), piece.end - piece.begin, source.size(1),
            source.size(2) * source.size(3));
  }
  return true;
}

bool is_float(at::ScalarType type) {
  return type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
}

}  // namespace

bool can_convert(at::ScalarType from, at::ScalarType to) {
  return is_float(from) && is_float(to);
}

std::optional<std::size_t> convert_weights(const std::vector<Conversion>& conversions) {
  const std::vector<Piece> pieces = cut(conversions);
  std::atomic<std::size_t> worst = conversions.size();
  at::parallel_for(0, static_cast<std::int64_t>(pieces.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     Scratch scratch;
                     for (std::int64_t i = begin; i < end; ++i) {
                       const Piece& piece = pieces[static_cast<std::size_t>(i)];
                       if (convert_piece(conversions[piece.conversion], piece, scratch)) continue;
                       std::size_t known = worst.load();
                       while (piece.conversion < known &&
                              !worst.compare_exchange_weak(known, piece.conversion)) {
                       }
                     }
                   });
  if (worst == conversions.size()) return std::nullopt;
  return worst.load();
}

}  // namespace affiche::diffusion
