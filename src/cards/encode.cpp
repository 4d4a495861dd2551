// SPDX-License-Identifier: Apache-2.0
#include "cards/encode.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
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

Bytes save_jpeg(const VImage& image, int quality, bool subsample) {
  // Progressive: 2 to 5 % smaller, and platforms show something early.
  return save(image, ".jpg",
              VImage::option()
                  ->set("Q", quality)
                  ->set("interlace", true)
                  ->set("optimize_coding", true)
                  ->set("subsample_mode",
                        subsample ? VIPS_FOREIGN_SUBSAMPLE_ON : VIPS_FOREIGN_SUBSAMPLE_OFF));
}

Bytes save_webp(const VImage& image, int quality) {
  return save(image, ".webp",
              VImage::option()->set("Q", quality)->set("effort", 4)->set("smart_subsample", true));
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

// PNG specification, annex D: CRC-32 of chunk type and data.
std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t c = n;
      for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
      made[n] = c;
    }
    return made;
  }();
  std::uint32_t crc = 0xffffffffU;
  for (const std::uint8_t byte : bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffffU;
}

void append_u32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// An uncompressed iTXt chunk: keyword, no compression, no language, UTF-8 text.
Bytes itxt_chunk(const std::string& keyword, const std::string& text) {
  if (keyword.empty() || keyword.size() > 79) {
    fail(Cause::Usage, "PNG text keyword \"", keyword, "\": expected 1 to 79 characters");
  }
  Bytes body = {'i', 'T', 'X', 't'};
  body.insert(body.end(), keyword.begin(), keyword.end());
  body.insert(body.end(), {0, 0, 0, 0, 0});
  body.insert(body.end(), text.begin(), text.end());
  Bytes chunk;
  append_u32(chunk, static_cast<std::uint32_t>(body.size() - 4));
  chunk.insert(chunk.end(), body.begin(), body.end());
  append_u32(chunk, crc32(body));
  return chunk;
}

constexpr std::size_t kPngHeader = 8 + 25;  // signature and IHDR

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
               const std::string& xmp) {
  if (options.quality < 1 || options.quality > 100) {
    fail(Cause::Usage, "quality ", options.quality, ": expected 1 to 100");
  }
  if (format == Format::Png) {
    Encoded png;
    png.bytes = encode_png(image, xmp.empty() ? std::vector<std::pair<std::string, std::string>>{}
                                              : std::vector<std::pair<std::string, std::string>>{
                                                    {"XML:com.adobe.xmp", xmp}});
    return png;
  }
  start_vips();
  try {
    VImage picture = borrow(image);
    if (!xmp.empty()) {
      vips_image_set_blob_copy(picture.get_image(), VIPS_META_XMP_NAME, xmp.data(), xmp.size());
    }
    if (format == Format::Webp) {
      return within_budget(options, [&](int quality) { return save_webp(picture, quality); });
    }
    if (image.channels == 4) {
      picture =
          picture.flatten(VImage::option()->set("background", std::vector<double>{255, 255, 255}));
    }
    Encoded jpeg =
        within_budget(options, [&](int quality) { return save_jpeg(picture, quality, false); });
    if (jpeg.over_budget) {
      jpeg = within_budget(options, [&](int quality) { return save_jpeg(picture, quality, true); });
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
    Bytes png = save(borrow(image), ".png", VImage::option()->set("compression", 6));
    if (png.size() < kPngHeader) fail(Cause::Internal, "PNG encoder gave ", png.size(), " bytes");
    Bytes chunks;
    for (const auto& [keyword, value] : text) {
      const Bytes chunk = itxt_chunk(keyword, value);
      chunks.insert(chunks.end(), chunk.begin(), chunk.end());
    }
    png.insert(png.begin() + kPngHeader, chunks.begin(), chunks.end());
    return png;
  } catch (const vips::VError&) {
    fail(Cause::Internal, "picture of ", image.width, "x", image.height,
         ": cannot be encoded: ", vips_message());
  }
}

}  // namespace affiche::cards
