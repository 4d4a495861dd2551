// SPDX-License-Identifier: Apache-2.0
// JPEG: ITU T.81 annex B. PNG: W3C PNG 5.2 and 11.2.2. WebP: RFC 9649.
#include "photos/picture_header.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace affiche::photos {
namespace {

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, const std::string& what)
      : bytes_(bytes), what_(what) {}

  bool matches(std::size_t at, std::string_view text) const {
    return at + text.size() <= bytes_.size() &&
           std::equal(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  }
  std::uint32_t byte(std::size_t at) const {
    if (at >= bytes_.size()) fail(Cause::BadInput, what_, ": the picture ends within its header");
    return bytes_[at];
  }
  std::uint32_t big16(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  std::uint32_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  std::uint32_t little16(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }
  std::uint32_t little24(std::size_t at) const { return little16(at) | byte(at + 2) << 16; }

  PictureHeader header(const char* media_type, std::uint32_t width, std::uint32_t height) const {
    constexpr std::uint32_t kMost = 1u << 30;
    if (width == 0 || height == 0 || width > kMost || height > kMost) {
      fail(Cause::BadInput, what_, ": expected a size of at least 1×1, found ", width, "×", height);
    }
    return {media_type, static_cast<int>(width), static_cast<int>(height)};
  }
  [[noreturn]] void refuse(const char* message) const {
    fail(Cause::BadInput, what_, ": ", message);
  }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& what_;
};

// Walks the segments to the frame header (SOF0 … SOF15 without DHT, JPG and DAC).
PictureHeader jpeg(const Reader& in) {
  std::size_t at = 2;
  while (true) {
    if (in.byte(at) != 0xff) in.refuse("JPEG: expected a marker, found other bytes");
    const std::uint32_t marker = in.byte(at + 1);
    if (marker == 0xff) {
      ++at;  // fill byte
      continue;
    }
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) return in.header("image/jpeg", in.big16(at + 7), in.big16(at + 5));
    if (marker == 0xd9 || marker == 0xda) in.refuse("JPEG: no frame header before the data");
    const bool alone = marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    const std::uint32_t length = alone ? 0 : in.big16(at + 2);
    if (!alone && length < 2) in.refuse("JPEG: a segment is shorter than its own length");
    at += 2 + length;
  }
}

PictureHeader png(const Reader& in) {
  if (in.big32(8) != 13 || !in.matches(12, "IHDR")) in.refuse("PNG: does not start with IHDR");
  return in.header("image/png", in.big32(16), in.big32(20));
}

PictureHeader webp(const Reader& in) {
  constexpr std::uint32_t k14Bits = 0x3fff;
  if (in.matches(12, "VP8 ")) {
    if (!in.matches(23, "\x9d\x01\x2a")) in.refuse("WebP: no start code");
    return in.header("image/webp", in.little16(26) & k14Bits, in.little16(28) & k14Bits);
  }
  if (in.matches(12, "VP8L")) {
    if (in.byte(20) != 0x2f) in.refuse("WebP: no lossless signature");
    const std::uint32_t bits = in.little24(21) | in.byte(24) << 24;
    return in.header("image/webp", (bits & k14Bits) + 1, (bits >> 14 & k14Bits) + 1);
  }
  if (in.matches(12, "VP8X")) {
    return in.header("image/webp", in.little24(24) + 1, in.little24(27) + 1);
  }
  in.refuse("WebP: unknown first chunk");
}

}  // namespace

PictureHeader read_picture_header(std::span<const std::uint8_t> bytes, const std::string& what) {
  const Reader in(bytes, what);
  if (in.matches(0, "\xff\xd8\xff")) return jpeg(in);
  if (in.matches(0, "\x89PNG\r\n\x1a\n")) return png(in);
  if (in.matches(0, "RIFF") && in.matches(8, "WEBP")) return webp(in);
  in.refuse("expected a JPEG, PNG or WebP picture, found other bytes");
}

}  // namespace affiche::photos
