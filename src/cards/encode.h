// SPDX-License-Identifier: Apache-2.0
// Pixels <-> files, by libvips. Equal inputs give equal bytes. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "imaging/image.h"

namespace affiche::cards {

// libvips' own threads per operation, for the whole process (default 1: whole cards in parallel are
// worth more than threads inside one). Call before other work.
void set_threads(int threads);

enum class Format { Jpeg, Png, Webp };

// By extension: .jpg .jpeg .png .webp, any case. Usage for others.
Format format_for(const std::filesystem::path& path);
const char* media_type(Format format);  // "image/jpeg"

struct EncodeOptions {
  int quality = 88;              // JPEG and WebP, 1 to 100
  int quality_floor = 70;        // not below it to meet the budget
  std::size_t budget = 300'000;  // bytes; 0: none. PNG has no quality and ignores it
};

struct Encoded {
  Bytes bytes;
  int quality = 0;           // that was used
  bool subsampled = false;   // JPEG: 4:2:0 in place of 4:4:4, the last step to meet the budget
  bool over_budget = false;  // even so it is larger than the budget
};

// What a file carries beside the pixels; what is empty is left out.
struct Metadata {
  std::string xmp = {};  // a packet, embedded as it is (APP1, iTXt, or the XMP chunk)
  Bytes exif = {};       // a TIFF block (JPEG: APP1, WebP: the EXIF chunk); not in PNG
  // Only in PNG: keywords of 1 to 79 Latin letters, values in UTF-8 (tEXt when ASCII, else iTXt).
  std::vector<std::pair<std::string, std::string>> png_text = {};
};

// BadInput when a JPEG cannot hold the metadata: a segment takes 64 KiB.
Encoded encode(const Image& image, Format format, const EncodeOptions& options = {},
               const Metadata& metadata = {});

// Lossless, with `text` as in Metadata.
Bytes encode_png(const Image& image,
                 const std::vector<std::pair<std::string, std::string>>& text = {});

struct DecodeLimits {
  std::int64_t max_pixels = 100'000'000;
  int max_side = 32768;
};

// JPEG, PNG or WebP, told by the first bytes, to 8-bit sRGB by the embedded profile, turned upright
// by EXIF; 3 channels, or 4 when the file has an alpha channel. BadInput for anything else, for
// truncated or damaged files, and for more pixels than `limits` (checked before decoding).
Image decode(std::span<const std::uint8_t> bytes, const std::string& what,
             const DecodeLimits& limits = {});

}  // namespace affiche::cards
