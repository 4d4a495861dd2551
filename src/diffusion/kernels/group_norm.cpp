// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/group_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace affiche::diffusion {
namespace {

// Pixels whose sums one task makes; fixed, so that sums do not depend on the number of threads.
constexpr std::int64_t kChunk = 1024;

struct Layout {
  std::int64_t batch, channels, pixels, chunks;
  // The chunk's first pixel, and the one behind its last.
  std::int64_t first(std::int64_t chunk) const { return chunk % chunks * kChunk; }
  std::int64_t last(std::int64_t chunk) const { return std::min(first(chunk) + kChunk, pixels); }
  const float* row(const float* data, std::int64_t chunk, std::int64_t pixel) const {
    return data + (chunk / chunks * pixels + pixel) * channels;
  }
};

// Per chunk: the sum of each channel, then the sum of its squares.
std::vector<double> chunk_sums(const Layout& layout, const float* x) {
  const std::int64_t channels = layout.channels;
  std::vector<double> sums(static_cast<std::size_t>(layout.batch * layout.chunks * 2 * channels));
  at::parallel_for(0, layout.batch * layout.chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      double* sum = sums.data() + chunk * 2 * channels;
      double* squares = sum + channels;
      for (std::int64_t pixel = layout.first(chunk); pixel < layout.last(chunk); ++pixel) {
        const float* row = layout.row(x, chunk, pixel);
        for (std::int64_t c = 0; c < channels; ++c) {
          const double value = row[c];
          sum[c] += value;
          squares[c] += value * value;
        }
      }
    }
  });
  return sums;
}

struct Affine {
  std::vector<float> scale, shift;  // batch x channels
};

// What the normalisation does to each channel of each picture: x * scale + shift.
Affine affine_of(const Layout& layout, const std::vector<double>& sums, std::int64_t groups,
                 const float* weight, const float* bias, double eps) {
  const std::int64_t channels = layout.channels, width = channels / groups;
  const auto count = static_cast<double>(layout.pixels * width);
  Affine affine;
  for (std::int64_t b = 0; b < layout.batch; ++b) {
    for (std::int64_t group = 0; group < groups; ++group) {
      double sum = 0, squares = 0;
      for (std::int64_t chunk = b * layout.chunks; chunk < (b + 1) * layout.chunks; ++chunk) {
        const double* begin = sums.data() + chunk * 2 * channels + group * width;
        for (std::int64_t c = 0; c < width; ++c) {
          sum += begin[c];
          squares += begin[channels + c];
        }
      }
      const double mean = sum / count;
      // Rounding may leave a hair below 0; what is not a number stays so.
      const double variance = squares / count - mean * mean;
      const double rstd = 1 / std::sqrt((variance < 0 ? 0 : variance) + eps);
      for (std::int64_t c = group * width; c < (group + 1) * width; ++c) {
        affine.scale.push_back(static_cast<float>(rstd * weight[c]));
        affine.shift.push_back(static_cast<float>(bias[c] - mean * rstd * weight[c]));
      }
    }
  }
  return affine;
}

}  // namespace

at::Tensor group_norm_channels_last(const at::Tensor& x, std::int64_t groups,
                                    const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const at::Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor output = at::empty_like(input);
  const std::int64_t pixels = x.size(2) * x.size(3);
  const Layout layout = {x.size(0), x.size(1), pixels, (pixels + kChunk - 1) / kChunk};
  const float* from = input.const_data_ptr<float>();
  float* to = output.mutable_data_ptr<float>();
  const Affine affine = affine_of(layout, chunk_sums(layout, from), groups,
                                  weight.contiguous().const_data_ptr<float>(),
                                  bias.contiguous().const_data_ptr<float>(), eps);
  const auto write = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const std::int64_t offset = chunk / layout.chunks * layout.channels;
      const float* scale = affine.scale.data() + offset;
      const float* shift = affine.shift.data() + offset;
      for (std::int64_t pixel = layout.first(chunk); pixel < layout.last(chunk); ++pixel) {
        const float* row = layout.row(from, chunk, pixel);
        float* out = to + (row - from);
        for (std::int64_t c = 0; c < layout.channels; ++c) out[c] = row[c] * scale[c] + shift[c];
      }
    }
  };
  at::parallel_for(0, layout.batch * layout.chunks, 1, write);
  return output;
}

}  // namespace affiche::diffusion
