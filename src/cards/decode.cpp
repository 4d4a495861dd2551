// SPDX-License-Identifier: Apache-2.0
#include "cards/decode.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string_view>

#include "base/error.h"

namespace affiche::cards {
namespace {

using vips::VImage;

bool starts_with(std::span<const std::uint8_t> bytes, std::size_t at, std::string_view magic) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

// The loader that the first bytes name; libvips' own guess must agree.
std::string loader_for(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (starts_with(bytes, 0, "\xff\xd8\xff")) return "jpegload_buffer";
  if (starts_with(bytes, 0, "\x89PNG\r\n\x1a\n")) return "pngload_buffer";
  if (starts_with(bytes, 0, "RIFF") && starts_with(bytes, 8, "WEBP")) return "webpload_buffer";
  fail(Cause::BadInput, what, ": expected a JPEG, PNG or WebP picture, found ",
       bytes.empty() ? "no bytes" : "other data", "; convert it");
}

VImage load(std::span<const std::uint8_t> bytes, const std::string& loader, int shrink) {
  vips::VOption* options = VImage::option()->set("fail_on", VIPS_FAIL_ON_ERROR);
  if (shrink > 1) options->set("shrink", shrink);
  VImage image = VImage::new_from_buffer(bytes.data(), bytes.size(), "", options);
  const std::string used = image.get_string("vips-loader");
  if (loader.rfind(used, 0) != 0 && used.rfind(loader.substr(0, loader.find('_')), 0) != 0) {
    fail(Cause::BadInput, "loader ", used, " in place of ", loader);
  }
  return image;
}

bool lies_on_its_side(const VImage& image) {
  return image.get_typeof(VIPS_META_ORIENTATION) != 0 &&
         image.get_int(VIPS_META_ORIENTATION) >= 5 && image.get_int(VIPS_META_ORIENTATION) <= 8;
}

void check_size(const VImage& image, const std::string& what, const DecodeLimits& limits) {
  const std::int64_t pixels = std::int64_t{image.width()} * image.height();
  if (pixels > limits.max_pixels || std::max(image.width(), image.height()) > limits.max_side) {
    fail(Cause::BadInput, what, ": picture of ", image.width(), "x", image.height(),
         " pixels: at most ", limits.max_pixels, " pixels and ", limits.max_side,
         " a side; make it smaller");
  }
}

}  // namespace

void start_vips() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (VIPS_INIT("affiche") != 0)
      fail(Cause::Internal, "libvips does not start: ", vips_message());
    // What it would print is in the error that follows.
    g_log_set_handler(
        "VIPS", G_LOG_LEVEL_MASK, [](const gchar*, GLogLevelFlags, const gchar*, gpointer) {},
        nullptr);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_block_untrusted_set(TRUE);
  });
}

void set_threads(int threads) {
  start_vips();
  vips_concurrency_set(std::max(1, threads));
}

std::string vips_message() {
  std::string message = vips_error_buffer();
  vips_error_clear();
  std::replace(message.begin(), message.end(), '\n', ' ');
  while (!message.empty() && message.back() == ' ') message.pop_back();
  return message;
}

VImage borrow(const Image& image) {
  start_vips();
  if (image.empty() || image.pixels.size() != image.stride() * image.height) {
    fail(Cause::Internal, "picture of ", image.width, "x", image.height, " holds ",
         image.pixels.size(), " bytes");
  }
  // libvips takes void* here but writes only to images that it made itself.
  void* pixels = const_cast<std::uint8_t*>(image.pixels.data());
  return VImage::new_from_memory(pixels, image.pixels.size(), image.width, image.height,
                                 image.channels, VIPS_FORMAT_UCHAR)
      .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
}

PictureSize picture_size(std::span<const std::uint8_t> bytes, const std::string& what,
                         const DecodeLimits& limits) {
  start_vips();
  const std::string loader = loader_for(bytes, what);
  try {
    const VImage image = load(bytes, loader, 1);
    check_size(image, what, limits);
    const bool turned = lies_on_its_side(image);
    return {turned ? image.height() : image.width(), turned ? image.width() : image.height()};
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the picture is damaged or cut short: ", vips_message());
  }
}

Opened open_picture(std::span<const std::uint8_t> bytes, const std::string& what,
                    const DecodeLimits& limits, int least_width, int least_height) {
  start_vips();
  const std::string loader = loader_for(bytes, what);
  try {
    VImage image = load(bytes, loader, 1);
    check_size(image, what, limits);
    const bool turned = lies_on_its_side(image);
    Opened opened;
    opened.full_width = turned ? image.height() : image.width();
    opened.full_height = turned ? image.width() : image.height();
    int shrink = 1;
    if (loader == "jpegload_buffer" && least_width > 0 && least_height > 0) {
      while (shrink < 8 && opened.full_width / (shrink * 2) >= least_width &&
             opened.full_height / (shrink * 2) >= least_height) {
        shrink *= 2;
      }
    }
    if (shrink > 1) image = load(bytes, loader, shrink);
    opened.image = image.copy_memory().autorot();
    return opened;
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the picture is damaged or cut short: ", vips_message());
  }
}

VImage to_srgb(const VImage& image) {
  VImage result = image;
  if (result.get_typeof(VIPS_META_ICC_NAME) != 0) {
    try {
      result = result.icc_transform("srgb", VImage::option()
                                                ->set("embedded", true)
                                                ->set("intent", VIPS_INTENT_RELATIVE)
                                                ->set("black_point_compensation", true)
                                                ->set("depth", 8));
    } catch (const vips::VError&) {
      vips_error_clear();  // A broken profile: the numbers are taken as the colour space says.
    }
  }
  result = result.colourspace(VIPS_INTERPRETATION_sRGB).cast(VIPS_FORMAT_UCHAR);
  return result.bands() > 4 ? result.extract_band(0, VImage::option()->set("n", 4)) : result;
}

Image to_image(const VImage& srgb, const std::string& what) {
  Image image = make_image(srgb.width(), srgb.height(), srgb.bands());
  try {
    std::size_t size = 0;
    void* memory = srgb.write_to_memory(&size);
    std::copy_n(static_cast<const std::uint8_t*>(memory), image.pixels.size(),
                image.pixels.begin());
    g_free(memory);
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the picture is damaged or cut short: ", vips_message());
  }
  return image;
}

Image decode(std::span<const std::uint8_t> bytes, const std::string& what,
             const DecodeLimits& limits) {
  const Opened opened = open_picture(bytes, what, limits);
  try {
    return to_image(to_srgb(opened.image), what);
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the colours cannot be read: ", vips_message());
  }
}

Image decode_within(std::span<const std::uint8_t> bytes, const std::string& what,
                    const DecodeLimits& limits, int max_side) {
  // At least so wide or high in one direction; the other one follows.
  const Opened opened = open_picture(bytes, what, limits, max_side, 1);
  try {
    VImage image = to_srgb(opened.image);
    const double scale = std::min(1.0, double(max_side) / std::max(image.width(), image.height()));
    if (scale < 1) image = image.resize(scale);
    return to_image(image, what);
  } catch (const vips::VError&) {
    fail(Cause::BadInput, what, ": the colours cannot be read: ", vips_message());
  }
}

}  // namespace affiche::cards
