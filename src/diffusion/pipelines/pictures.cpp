// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/pictures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

int cut(std::int64_t size, int fallback, std::int64_t multiple, const char* side) {
  const std::int64_t pixels = size == 0 ? fallback : size;
  const std::int64_t result = pixels - pixels % multiple;
  if (result < multiple || result > 32768) {
    fail(Cause::BadInput, "picture: expected a ", side, " of ", multiple,
         " to 32768 pixels, found ", pixels);
  }
  return static_cast<int>(result);
}

// Fits the part into the size, centred; the border that is left is filled with the part's edge.
Image resize_and_fill(const Image& part, int width, int height, Filter filter) {
  const double ratio = static_cast<double>(width) / height;
  const double source = static_cast<double>(part.width) / part.height;
  const int w = ratio < source ? width : part.width * height / part.height;
  const int h = ratio >= source ? height : part.height * width / part.width;
  const Image resized = resize(part, std::max(w, 1), std::max(h, 1), filter);
  Image out = make_image(width, height, part.channels);
  const int left = width / 2 - w / 2, top = height / 2 - h / 2;
  paste(out, resized, left, top);
  const double right = resized.width, bottom = resized.height;
  if (ratio < source && top > 0) {
    paste(out, resize(resized, width, top, Filter::Bicubic, {0, 0, right, 0}), 0, 0);
    paste(out, resize(resized, width, top, Filter::Bicubic, {0, bottom, right, bottom}), 0,
          top + h);
  } else if (ratio > source && left > 0) {
    paste(out, resize(resized, left, height, Filter::Bicubic, {0, 0, 0, bottom}), 0, 0);
    paste(out, resize(resized, left, height, Filter::Bicubic, {right, 0, right, bottom}), left + w,
          0);
  }
  return out;
}

Image resize_and_crop(const Image& image, int width, int height) {
  const double ratio = static_cast<double>(width) / height;
  const double source = static_cast<double>(image.width) / image.height;
  const int w = ratio > source ? width : image.width * height / image.height;
  const int h = ratio <= source ? height : image.height * width / image.width;
  Image out = make_image(width, height, image.channels);
  paste(out, resize(image, std::max(w, 1), std::max(h, 1), Filter::Lanczos), width / 2 - w / 2,
        height / 2 - h / 2);
  return out;
}

Image prepared(const Image& image, const Preparation& how) {
  Image rgb = to_rgb(image);
  if (how.region) {
    const Region& r = *how.region;
    rgb = crop(rgb, r.left, r.top, r.right, r.bottom);
  }
  const int height = cut(how.height, rgb.height, how.multiple, "height");
  const int width = cut(how.width, rgb.width, how.multiple, "width");
  if (how.region) return resize_and_fill(rgb, width, height, how.filter);
  return resize(rgb, width, height, how.filter);
}

at::Tensor bytes_of(const Image& image) {
  return at::from_blob(const_cast<std::uint8_t*>(image.pixels.data()),
                       {1, image.height, image.width, image.channels}, at::kByte);
}

// Pillow's division by 255 with rounding.
int over_255(int value) {
  const int sum = value + 128;
  return ((sum >> 8) + sum) >> 8;
}

// One channel of the original, kept where the mask is dark, over the new one: Pillow's paste with a
// mask, then its alpha_composite, with their rounding.
std::uint8_t composite(int below, int above, int alpha) {
  if (alpha == 0) return static_cast<std::uint8_t>(below);
  const int premultiplied = over_255(above * alpha);
  const int straight = alpha == 255 ? premultiplied : std::min(255, 255 * premultiplied / alpha);
  const int out_alpha_255 = alpha * 255 + 255 * (255 - alpha);
  const int share = alpha * 255 * 255 * (1 << 7) / out_alpha_255;
  const int sum = straight * share + below * (255 * (1 << 7) - share) + (0x80 << 7);
  return static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

}  // namespace

at::Tensor to_unit(const Image& image, const Preparation& how) {
  const Image ready = prepared(image, how);
  return bytes_of(ready).to(at::kFloat).div_(255.0).permute({0, 3, 1, 2}).contiguous();
}

at::Tensor to_signed(const Image& image, const Preparation& how) {
  return to_unit(image, how) * 2 - 1;
}

at::Tensor to_mask(const Image& image, const Preparation& how) {
  const Image ready = prepared(image, how);
  std::vector<std::uint8_t> luma = to_luma(ready);
  const at::Tensor grey = at::from_blob(luma.data(), {1, 1, ready.height, ready.width}, at::kByte);
  return grey.to(at::kFloat).div_(255.0).ge(0.5).to(at::kFloat);
}

at::Tensor to_bytes(const at::Tensor& unit) {
  return (unit * 255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

Image image_at(const at::Tensor& bytes, std::int64_t index) {
  Image image = make_image(static_cast<int>(bytes.size(2)), static_cast<int>(bytes.size(1)), 3);
  const at::Tensor one = bytes[index].contiguous();
  std::memcpy(image.pixels.data(), one.const_data_ptr<std::uint8_t>(), image.pixels.size());
  return image;
}

at::Tensor stack(const std::vector<Image>& images) {
  std::vector<at::Tensor> parts;
  for (const Image& image : images) parts.push_back(bytes_of(image));
  return at::cat(parts);
}

Region region_around(const Image& mask, std::int64_t width, std::int64_t height,
                     std::int64_t margin) {
  const std::vector<std::uint8_t> luma = to_luma(mask);
  const int w = mask.width, h = mask.height;
  int left = w, top = h, right = 0, bottom = 0;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      if (luma[static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + x] == 0) continue;
      left = std::min(left, x);
      right = std::max(right, x + 1);
      top = std::min(top, y);
      bottom = y + 1;
    }
  }
  if (right == 0) return {0, 0, w, h};
  const int pad = static_cast<int>(std::min<std::int64_t>(margin, 32768));
  int x1 = std::max(left - pad, 0), y1 = std::max(top - pad, 0);
  int x2 = std::min(right + pad, w), y2 = std::min(bottom + pad, h);
  // The other side grows to the shape of the result, and moves back into the picture.
  const double processing = static_cast<double>(width) / static_cast<double>(height);
  const auto widen = [](int& low, int& high, double desired, int limit) {
    const int more = static_cast<int>(desired - (high - low));
    low -= more / 2;
    high += more - more / 2;
    if (high >= limit) {
      low -= high - limit;
      high = limit;
    }
    if (low < 0) {
      high -= low;
      low = 0;
    }
    high = std::min(high, limit);
  };
  if (static_cast<double>(x2 - x1) / (y2 - y1) > processing) {
    widen(y1, y2, (x2 - x1) / processing, h);
  } else {
    widen(x1, x2, (y2 - y1) * processing, w);
  }
  return {x1, y1, x2, y2};
}

Image overlay(const Image& original, const Image& mask, const Image& made, const Region& region) {
  Image result = make_image(original.width, original.height, 3);
  paste(result, resize_and_crop(made, region.right - region.left, region.bottom - region.top),
        region.left, region.top);
  const Image above = to_rgb(original);
  const std::vector<std::uint8_t> luma = to_luma(mask);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) {
    result.pixels[i] = composite(result.pixels[i], above.pixels[i], 255 - luma[i / 3]);
  }
  return result;
}

}  // namespace affiche::diffusion
