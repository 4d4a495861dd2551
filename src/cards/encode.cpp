// SPDX-License-Identifier: Apache-2.0
#include "cards/encode.h"

#include <algorithm>

#include "base/error.h"
#include "cards/containers.h"
#include "cards/decode.h"

namespace affiche::cards {
namespace {

using vips::VImage;

Bytes save(const VImage& image, const char* suffix, vips::VOption* options) {
  void* data = nullptr;
  std::size_t size = 0;
  image.write_to_buffer(suffix, &data, &size, options);
  const auto* first = static_cast<const std::uint8_t*>(data);
  Bytes bytes(first, first + size);
  g_free(data);
  return bytes;
}

Bytes save_jpeg(const VImage& image, int quality, bool subsample, const Metadata& metadata) {
  // Progressive: 2 to 5 % smaller, and platforms show something early.
  Bytes jpeg = save(image, ".jpg",
                    VImage::option()
                        ->set("Q", quality)
                        ->set("strip", true)
                        ->set("interlace", true)
                        ->set("optimize_coding", true)
                        ->set("subsample_mode",
                              subsample ? VIPS_FOREIGN_SUBSAMPLE_ON : VIPS_FOREIGN_SUBSAMPLE_OFF));
  return with_jpeg_metadata(std::move(jpeg), metadata.exif, metadata.xmp);
}

Bytes save_webp(const VImage& image, int quality, const Metadata& metadata) {
  const Bytes webp = save(image, ".webp",
                          VImage::option()
                              ->set("Q", quality)
                              ->set("strip", true)
                              ->set("effort", 4)
                              ->set("smart_subsample", true));
  return with_webp_metadata(webp, metadata.exif, metadata.xmp,
                            {image.width(), image.height(), image.has_alpha()});
}

// Highest quality in [floor, wanted] whose file meets the budget; the floor's when none does.
template <typename Save>
Encoded within_budget(const EncodeOptions& options, Save&& save_at) {
  Encoded best{save_at(options.quality), options.quality, false, false};
  const auto fits = [&](const Bytes& bytes) {
    return options.budget == 0 || bytes.size() <= options.budget;
  };
  if (fits(best.bytes)) return best;
  int low = std::min(options.quality_floor, options.quality);
  int high = options.quality - 1;
  best = {save_at(low), low, false, false};
  best.over_budget = !fits(best.bytes);
  while (!best.over_budget && low < high) {
    const int middle = (low + high + 1) / 2;
    Bytes bytes = save_at(middle);
    if (fits(bytes)) {
      best = {std::move(bytes), middle, false, false};
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return best;
}

}  // namespace

Format format_for(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".jpg" || extension == ".jpeg") return Format::Jpeg;
  if (extension == ".png") return Format::Png;
  if (extension == ".webp") return Format::Webp;
  fail(Cause::Usage, path.string(), ": expected a name ending in .jpg, .jpeg, .png or .webp");
}

const char* media_type(Format format) {
  switch (format) {
    case Format::Jpeg:
      return "image/jpeg";
    case Format::Png:
      return "image/png";
    case Format::Webp:
      return "image/webp";
  }
  return "application/octet-stream";
}

Encoded encode(const Image& image, Format format, const EncodeOptions& options,
               const Metadata& metadata) {
  if (options.quality < 1 || options.quality > 100) {
    fail(Cause::Usage, "quality ", options.quality, ": expected 1 to 100");
  }
  if (format == Format::Png) {
    auto text = metadata.png_text;
    if (!metadata.xmp.empty()) text.emplace_back("XML:com.adobe.xmp", metadata.xmp);
    Encoded png;
    png.bytes = encode_png(image, text);
    return png;
  }
  start_vips();
  try {
    VImage picture = borrow(image);
    if (format == Format::Webp) {
      return within_budget(options,
                           [&](int quality) { return save_webp(picture, quality, metadata); });
    }
    if (image.channels == 4) {
      picture =
          picture.flatten(VImage::option()->set("background", std::vector<double>{255, 255, 255}));
    }
    Encoded jpeg = within_budget(
        options, [&](int quality) { return save_jpeg(picture, quality, false, metadata); });
    if (jpeg.over_budget) {
      jpeg = within_budget(
          options, [&](int quality) { return save_jpeg(picture, quality, true, metadata); });
      jpeg.subsampled = true;
    }
    return jpeg;
  } catch (const vips::VError&) {
    fail(Cause::Internal, "picture of ", image.width, "x", image.height,
         ": cannot be encoded: ", vips_message());
  }
}

Bytes encode_png(const Image& image, const std::vector<std::pair<std::string, std::string>>& text) {
  start_vips();
  try {
    return with_png_text(
        save(borrow(image), ".png", VImage::option()->set("strip", true)->set("compression", 6)),
        text);
  } catch (const vips::VError&) {
    fail(Cause::Internal, "picture of ", image.width, "x", image.height,
         ": cannot be encoded: ", vips_message());
  }
}

}  // namespace affiche::cards
