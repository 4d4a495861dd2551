// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/pictures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/error.h"
#include "base/files.h"

namespace affiche::diffusion {

Image read_ppm(const std::filesystem::path& path) {
  const Bytes bytes = read_bytes(path);
  std::istringstream head(
      std::string(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(64, std::ssize(bytes))));
  std::string magic;
  int width = 0, height = 0, top = 0;
  head >> magic >> width >> height >> top;
  if (!head || magic != "P6" || top != 255)
    fail(Cause::BadInput, path.string(),
         ": expected a binary PPM (P6, 8 bit), found something else");
  Image image = make_image(width, height, 3);
  const auto start = static_cast<std::size_t>(head.tellg()) + 1;
  if (bytes.size() < start + image.pixels.size())
    fail(Cause::BadInput, path.string(), ": expected ", image.pixels.size(),
         " bytes of pixels, found ", bytes.size() - std::min(bytes.size(), start));
  std::memcpy(image.pixels.data(), bytes.data() + start, image.pixels.size());
  return image;
}

void write_ppm(const std::filesystem::path& path, const Image& image) {
  std::string bytes = concat("P6\n", image.width, " ", image.height, "\n255\n");
  bytes.append(image.pixels.begin(), image.pixels.end());
  write_atomically(path, bytes);
}

at::Tensor tensor_of(const Image& image) {
  const at::Tensor bytes = at::empty({image.height, image.width, image.channels}, at::kByte);
  std::memcpy(bytes.data_ptr(), image.pixels.data(), image.pixels.size());
  return bytes.slice(2, 0, 3).permute({2, 0, 1}).to(at::kFloat).div_(127.5).sub_(1).contiguous();
}

Image image_of(const at::Tensor& picture) {
  const at::Tensor bytes = picture.detach()
                               .to(at::kFloat)
                               .add(1)
                               .mul_(127.5)
                               .round_()
                               .clamp_(0, 255)
                               .permute({1, 2, 0})
                               .to(at::kByte)
                               .contiguous();
  Image image = make_image(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), 3);
  std::memcpy(image.pixels.data(), bytes.data_ptr(), image.pixels.size());
  return image;
}

Image contact_sheet(const at::Tensor& pictures, int columns) {
  std::vector<at::Tensor> rows;
  const std::int64_t count = pictures.size(0);
  for (std::int64_t first = 0; first < count; first += columns) {
    std::vector<at::Tensor> row;
    for (std::int64_t i = first; i < first + columns; ++i)
      row.push_back(i < count ? pictures[i] : at::ones_like(pictures[0]));
    rows.push_back(at::cat(row, 2));
  }
  return image_of(at::cat(rows, 1));
}

Image cover(const Image& image, int width, int height) {
  const double scale = std::max(static_cast<double>(width) / image.width,
                                static_cast<double>(height) / image.height);
  const auto scaled_width = std::max<std::int64_t>(width, std::llround(image.width * scale));
  const auto scaled_height = std::max<std::int64_t>(height, std::llround(image.height * scale));
  const at::Tensor scaled = at::_upsample_bilinear2d_aa(tensor_of(image).unsqueeze(0),
                                                        {scaled_height, scaled_width}, false)[0];
  const auto left = (scaled_width - width) / 2, top = (scaled_height - height) / 2;
  return image_of(scaled.slice(1, top, top + height).slice(2, left, left + width));
}

}  // namespace affiche::diffusion
