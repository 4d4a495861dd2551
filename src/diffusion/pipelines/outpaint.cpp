// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/outpaint.h"

#include <algorithm>

#include "base/error.h"
#include "imaging/resize.h"

namespace affiche::diffusion {
namespace {

void check(const Outpaint& grow) {
  for (const std::int64_t pixels : {grow.left, grow.top, grow.right, grow.bottom, grow.overlap}) {
    if (pixels < 0 || pixels > 8192) {
      fail(Cause::Usage, "outpaint: expected 0 to 8192 pixels on each side, found ", pixels);
    }
  }
  if (grow.left + grow.top + grow.right + grow.bottom == 0) {
    fail(Cause::Usage, "outpaint: the canvas is not larger than the picture");
  }
}

// 0 in the picture's middle, 1 at its edge and beyond, along one axis; only grown sides count.
double outside(int at, int begin, int end, bool grown_low, bool grown_high, int overlap) {
  const auto fade = [&](int depth) {
    return depth >= overlap ? 0.0 : std::clamp(1 - (depth + 0.5) / (overlap + 1.0), 0.0, 1.0);
  };
  if (at < begin || at >= end) return 1;
  double result = 0;
  if (grown_low) result = std::max(result, fade(at - begin));
  if (grown_high) result = std::max(result, fade(end - 1 - at));
  return result;
}

void set(Image& image, std::size_t pixel, std::uint8_t value) {
  std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * pixel), 3, value);
}

}  // namespace

OutpaintCanvas make_canvas(const Image& image, const Outpaint& grow, std::int64_t width,
                           std::int64_t height) {
  check(grow);
  const Image rgb = to_rgb(image);
  const int w = static_cast<int>(width), h = static_cast<int>(height);
  const int left = static_cast<int>(grow.left), top = static_cast<int>(grow.top);
  const int right = std::min(left + rgb.width, w), bottom = std::min(top + rgb.height, h);
  // An overlap of the whole picture would leave nothing of it.
  const int overlap = std::min({static_cast<int>(grow.overlap), rgb.width / 3, rgb.height / 3});
  OutpaintCanvas canvas{make_image(w, h, 3), make_image(w, h, 3), make_image(w, h, 3)};
  for (int y = 0; y < h; ++y) {
    const double v = outside(y, top, bottom, grow.top > 0, grow.bottom > 0, overlap);
    const int from_y = std::clamp(y - top, 0, rgb.height - 1);
    for (int x = 0; x < w; ++x) {
      const double u = outside(x, left, right, grow.left > 0, grow.right > 0, overlap);
      const int from_x = std::clamp(x - left, 0, rgb.width - 1);
      const std::size_t pixel =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x);
      const std::size_t from =
          static_cast<std::size_t>(from_y) * rgb.stride() + static_cast<std::size_t>(from_x) * 3;
      std::copy_n(rgb.pixels.begin() + static_cast<std::ptrdiff_t>(from), 3,
                  canvas.picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * pixel));
      const double fade = std::max(u, v);
      set(canvas.mask, pixel, fade > 0 ? 255 : 0);
      set(canvas.seam, pixel, static_cast<std::uint8_t>(fade * 255 + 0.5));
    }
  }
  return canvas;
}

}  // namespace affiche::diffusion
