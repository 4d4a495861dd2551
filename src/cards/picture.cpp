// SPDX-License-Identifier: Apache-2.0
#include "cards/picture.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cards/decode.h"

namespace affiche::cards {
namespace {

using vips::VImage;

struct Offset {
  int x = 0;
  int y = 0;
};

// Where to cut so that the point of interest (in pixels of `image`) is as central as it can be.
Offset centred_on(const VImage& image, int width, int height, double x, double y) {
  return {std::clamp(static_cast<int>(std::lround(x - width / 2.0)), 0, image.width() - width),
          std::clamp(static_cast<int>(std::lround(y - height / 2.0)), 0, image.height() - height)};
}

Offset choose_crop(const VImage& image, int width, int height, const PhotoLayer& layer) {
  if (image.width() == width && image.height() == height) return {};
  if (layer.focus == PhotoLayer::Focus::Attention) {
    int x = 0;
    int y = 0;
    image.smartcrop(width, height,
                    VImage::option()
                        ->set("interesting", VIPS_INTERESTING_ATTENTION)
                        ->set("attention_x", &x)
                        ->set("attention_y", &y));
    return centred_on(image, width, height, x, y);
  }
  if (layer.focus == PhotoLayer::Focus::Entropy) {
    const VImage cut = image.smartcrop(
        width, height, VImage::option()->set("interesting", VIPS_INTERESTING_ENTROPY));
    return {-cut.xoffset(), -cut.yoffset()};
  }
  const bool point = layer.focus == PhotoLayer::Focus::Point;
  return centred_on(image, width, height, image.width() * (point ? layer.point[0] : 0.5),
                    image.height() * (point ? layer.point[1] : 0.5));
}

VImage scale_to_cover(const VImage& image, int width, int height) {
  const double scale = std::max(static_cast<double>(width) / image.width(),
                                static_cast<double>(height) / image.height());
  VImage result = image;
  if (scale != 1) {
    result = image.resize(scale, VImage::option()->set("kernel", VIPS_KERNEL_LANCZOS3));
  }
  // Rounding may leave one pixel too few on the exact side.
  if (result.width() < width || result.height() < height) {
    result = result.embed(0, 0, std::max(width, result.width()), std::max(height, result.height()),
                          VImage::option()->set("extend", VIPS_EXTEND_COPY));
  }
  return result;
}

}  // namespace

CoverPhoto cover(const Photo& photo, int width, int height, const PhotoLayer& layer) {
  const std::string what = "photo \"" + photo.credit().title + "\"";
  const Opened opened = open_picture(photo.encoded(), what, {}, width, height);
  try {
    CoverPhoto result;
    result.enlargement = std::max(static_cast<double>(width) / opened.full_width,
                                  static_cast<double>(height) / opened.full_height);
    VImage image = to_srgb(scale_to_cover(opened.image, width, height));
    if (image.has_alpha()) {
      image =
          image.flatten(VImage::option()->set("background", std::vector<double>{255, 255, 255}));
    }
    image = image.cast(VIPS_FORMAT_UCHAR).copy_memory();
    // Half a pixel of rounding is no crop.
    result.cropped = image.width() > width + 1 || image.height() > height + 1;
    const Offset at = choose_crop(image, width, height, layer);
    result.image = to_image(image.extract_area(at.x, at.y, width, height), what);
    return result;
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the photo cannot be used: ", vips_message());
  }
}

}  // namespace affiche::cards
