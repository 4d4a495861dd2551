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

enum class Format { Jpeg, Png, Webp, Avif };

// By extension: .jpg .jpeg .png .webp .avif, any case. Usage for others.
Format format_for(const std::filesystem::path& path);
const char* media_type(Format format);  // "image/jpeg"
const char* extension(Format format);   // ".jpg"

struct EncodeOptions {
  int quality = 88;              // JPEG, WebP and AVIF, 1 to 100
  int quality_floor = 70;        // not below it to meet the budget
  std::size_t budget = 300'000;  // bytes with the metadata; 0: none
  bool progressive = true;       // JPEG
  bool full_chroma = true;       // JPEG: 4:4:4, which keeps coloured letters sharp; else 4:2:0
};

struct Encoded {
  Bytes bytes;
  int quality = 0;           // that was used; 0: lossless
  bool subsampled = false;   // JPEG: 4:2:0
  bool palette = false;      // PNG: exact with a palette
  bool over_budget = false;  // even so it is larger than the budget
  // What was given up for the budget, for people: "quality 79 in place of 88"; empty: nothing.
  std::string given_up;
};

// What a file carries beside the pixels; what is empty is left out.
struct Metadata {
  std::string xmp = {};  // a packet, embedded as it is (APP1, iTXt, XMP chunk, or mime item)
  Bytes exif = {};       // a TIFF block (JPEG: APP1, WebP: the EXIF chunk); not in PNG and AVIF
  // Only in PNG: keywords of 1 to 79 Latin letters, values in UTF-8 (tEXt when ASCII, else iTXt).
  std::vector<std::pair<std::string, std::string>> png_text = {};
};

// Quality goes down to the floor, then a JPEG gets 4:2:0, until the budget holds. PNG loses
// nothing: it gets a palette when that is exact and smaller, and may stay over its budget. BadInput
// when a JPEG cannot hold the metadata: a segment takes 64 KiB.
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
// The same, reduced to at most `max_side` pixels a side, at the cost of the reduced picture where
// the format allows it.
Image decode_within(std::span<const std::uint8_t> bytes, const std::string& what,
                    const DecodeLimits& limits, int max_side);

}  // namespace affiche::cards
