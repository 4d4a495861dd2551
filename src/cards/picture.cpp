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
#include "cards/saliency.h"
#include "cards/subject.h"

namespace affiche::cards {
namespace {

using vips::VImage;

// Subject::leeway of what draws the eye: a bright spot may be a part of something larger.
constexpr double kGuessed = 0.08;

std::string name_of(const Photo& photo) {
  return "photo \"" + photo.credit().title + "\"";
}

// The size that fills the area from one side to the other.
struct Scaled {
  double scale = 1;
  bool cropped = false;
};

Scaled scale_to(int width, int height, int area_width, int area_height, const PhotoLayer& layer) {
  const double across = static_cast<double>(area_width) / width;
  const double down = static_cast<double>(area_height) / height;
  if (layer.fit == PhotoLayer::Fit::Contain) return {std::min(across, down), false};
  const double scale = std::max(across, down);
  // Half a pixel of rounding is no crop.
  return {scale, width * scale > area_width + 1 || height * scale > area_height + 1};
}

// The subject as far as it is known without looking at the pixels.
std::optional<Subject> known_subject(const Photo& photo, const PhotoLayer& layer,
                                     const PhotoPlace& place) {
  if (place.focus) return Subject{(*place.focus)[0], (*place.focus)[1]};
  if (layer.focus == PhotoLayer::Focus::Point) return Subject{layer.point[0], layer.point[1]};
  if (layer.focus == PhotoLayer::Focus::Centre) return Subject{};
  return subject_of(photo.encoded());
}

struct Offset {
  int x = 0;
  int y = 0;
};

Offset choose_crop(const VImage& image, int width, int height, const PhotoLayer& layer,
                   std::optional<Subject> subject, const PhotoPlace& place) {
  if (image.width() == width && image.height() == height) return {};
  if (!subject && layer.focus == PhotoLayer::Focus::Entropy) {
    const VImage cut = image.smartcrop(
        width, height, VImage::option()->set("interesting", VIPS_INTERESTING_ENTROPY));
    subject = Subject{(width / 2.0 - cut.xoffset()) / image.width(),
                      (height / 2.0 - cut.yoffset()) / image.height(), 0, 0, kGuessed};
  } else if (!subject) {
    const std::array<double, 2> middle = salient_middle(image, width, height);
    subject = Subject{middle[0], middle[1], 0, 0, kGuessed};
  }
  const std::array<double, 2> at =
      place_crop(image.width(), image.height(), width, height, *subject, place.taken);
  return {std::clamp(static_cast<int>(std::lround(at[0])), 0, image.width() - width),
          std::clamp(static_cast<int>(std::lround(at[1])), 0, image.height() - height)};
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

// The middle of the part to keep, in fractions of the picture.
std::array<double, 2> attention(const JpegPart& picture, int width, int height) {
  const std::size_t bytes = std::size_t{4} * picture.width * picture.height;
  VImage image = VImage::new_from_memory(picture.pixels.get(), bytes, picture.width, picture.height,
                                         4, VIPS_FORMAT_UCHAR);
  const VImage rgb[] = {image.extract_band(2), image.extract_band(1), image.extract_band(0)};
  image = VImage::bandjoin({rgb[0], rgb[1], rgb[2]})
              .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
  return salient_middle(image, width, height);
}

// The hot path: a plain JPEG, decoded as small as will do and only where it is needed, scaled once.
// Nothing for all that libvips must look at.
std::optional<CoverPhoto> cover_plain(const Photo& photo, int width, int height,
                                      const PhotoLayer& layer, const PhotoPlace& known) {
  if (layer.fit == PhotoLayer::Fit::Contain) return std::nullopt;
  const std::optional<Subject> subject = known_subject(photo, layer, known);
  if (!subject && layer.focus == PhotoLayer::Focus::Entropy) return std::nullopt;
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
  const auto place = [&](const Subject& of) {
    const auto at = place_crop(whole_width, whole_height, box.width, box.height, of, known.taken);
    box.x = at[0];
    box.y = at[1];
  };
  std::optional<JpegPart> part;
  if (!subject) {
    part = decode_jpeg(photo.encoded(), shrink, 0, 0, whole_width, whole_height);
    if (part) {
      const std::array<double, 2> eye = attention(*part, width, height);
      place({eye[0], eye[1], 0, 0, kGuessed});
    }
  } else {
    place(*subject);
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
  result.cropped = scale_to(header->width, header->height, width, height, layer).cropped;
  return result;
}

}  // namespace

bool is_cropped(const Photo& photo, int width, int height, const PhotoLayer& layer) {
  const auto header = plain_jpeg(photo.encoded());
  if (header) return scale_to(header->width, header->height, width, height, layer).cropped;
  const PictureSize size = picture_size(photo.encoded(), name_of(photo), {});
  return scale_to(size.width, size.height, width, height, layer).cropped;
}

CoverPhoto cover(const Photo& photo, int width, int height, const PhotoLayer& layer,
                 const PhotoPlace& place) {
  start_vips();
  if (auto plain = cover_plain(photo, width, height, layer, place)) return std::move(*plain);
  const std::string what = name_of(photo);
  const bool contain = layer.fit == PhotoLayer::Fit::Contain;
  const Opened opened =
      open_picture(photo.encoded(), what, {}, contain ? 0 : width, contain ? 0 : height);
  const Scaled scaled = scale_to(opened.full_width, opened.full_height, width, height, layer);
  if (contain) {
    width = std::clamp(static_cast<int>(std::lround(opened.full_width * scaled.scale)), 1, width);
    height =
        std::clamp(static_cast<int>(std::lround(opened.full_height * scaled.scale)), 1, height);
  }
  try {
    CoverPhoto result;
    result.enlargement = scaled.scale;
    result.cropped = scaled.cropped;
    VImage image = to_srgb(scale_to_cover(opened.image, width, height));
    if (image.has_alpha()) {
      image =
          image.flatten(VImage::option()->set("background", std::vector<double>{255, 255, 255}));
    }
    image = image.cast(VIPS_FORMAT_UCHAR).copy_memory();
    const Offset at =
        choose_crop(image, width, height, layer, known_subject(photo, layer, place), place);
    result.image = to_image(image.extract_area(at.x, at.y, width, height), what);
    return result;
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the photo cannot be used: ", vips_message());
  }
}

}  // namespace affiche::cards
