// SPDX-License-Identifier: Apache-2.0
#include "cards/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "cards/decode.h"
#include "cards/jpeg.h"
#include "cards/reduce.h"

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

// The point that draws the eye, in fractions of the picture.
std::array<double, 2> attention(const JpegPart& picture, int width, int height) {
  VImage image = VImage::new_from_memory(const_cast<std::uint32_t*>(picture.pixels.data()),
                                         picture.pixels.size() * 4, picture.width, picture.height,
                                         4, VIPS_FORMAT_UCHAR);
  const VImage rgb[] = {image.extract_band(2), image.extract_band(1), image.extract_band(0)};
  image = VImage::bandjoin({rgb[0], rgb[1], rgb[2]})
              .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
  int x = 0;
  int y = 0;
  const double shape = std::min(static_cast<double>(picture.width) / width,
                                static_cast<double>(picture.height) / height);
  image.smartcrop(std::max(1, static_cast<int>(width * shape)),
                  std::max(1, static_cast<int>(height * shape)),
                  VImage::option()
                      ->set("interesting", VIPS_INTERESTING_ATTENTION)
                      ->set("attention_x", &x)
                      ->set("attention_y", &y));
  return {(x + 0.5) / picture.width, (y + 0.5) / picture.height};
}

// The hot path: a plain JPEG, decoded as small as will do and only where it is needed, scaled once.
// Nothing for all that libvips must look at.
std::optional<CoverPhoto> cover_plain(const Photo& photo, int width, int height,
                                      const PhotoLayer& layer) {
  if (layer.focus == PhotoLayer::Focus::Entropy) return std::nullopt;
  const auto header = plain_jpeg(photo.encoded());
  const DecodeLimits limits;
  if (!header || std::max(header->width, header->height) > limits.max_side ||
      std::int64_t{header->width} * header->height > limits.max_pixels) {
    return std::nullopt;
  }
  const double across = static_cast<double>(width) / header->width;
  const double down = static_cast<double>(height) / header->height;
  const double scale = std::max(across, down);
  int shrink = 1;
  while (shrink < 8 && scale * shrink * 2 <= 1) shrink *= 2;

  // In the reduced picture, whose last row and column may be of less than a whole block.
  const int whole_width = (header->width + shrink - 1) / shrink;
  const int whole_height = (header->height + shrink - 1) / shrink;
  SourceBox box{0, 0, std::min<double>(whole_width, width / scale / shrink),
                std::min<double>(whole_height, height / scale / shrink)};
  const auto place = [&](const std::array<double, 2>& point) {
    box.x = std::clamp(point[0] * whole_width - box.width / 2, 0.0, whole_width - box.width);
    box.y = std::clamp(point[1] * whole_height - box.height / 2, 0.0, whole_height - box.height);
  };
  std::optional<JpegPart> part;
  if (layer.focus == PhotoLayer::Focus::Attention) {
    part = decode_jpeg(photo.encoded(), shrink, 0, 0, whole_width, whole_height);
    if (part) place(attention(*part, width, height));
  } else {
    place(layer.focus == PhotoLayer::Focus::Point ? layer.point : std::array{0.5, 0.5});
    const int reach = filter_reach(box.width / width);
    const int x = std::max(0, static_cast<int>(box.x) - reach);
    const int y = std::max(0, static_cast<int>(box.y) - reach);
    part = decode_jpeg(photo.encoded(), shrink, x, y,
                       static_cast<int>(std::ceil(box.x + box.width)) + reach - x,
                       static_cast<int>(std::ceil(box.y + box.height)) + reach - y);
  }
  if (!part) return std::nullopt;
  CoverPhoto result;
  result.image = scale_box(*part, box, width, height);
  result.enlargement = scale;
  // Half a pixel of rounding is no crop.
  result.cropped = header->width * scale > width + 1 || header->height * scale > height + 1;
  return result;
}

}  // namespace

CoverPhoto cover(const Photo& photo, int width, int height, const PhotoLayer& layer) {
  const std::string what = "photo \"" + photo.credit().title + "\"";
  start_vips();
  if (auto plain = cover_plain(photo, width, height, layer)) return std::move(*plain);
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
