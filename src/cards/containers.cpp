// SPDX-License-Identifier: Apache-2.0
#include "cards/containers.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/error.h"

namespace affiche::cards {
namespace {

void append(Bytes& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

void append_big_endian(Bytes& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void append_little_endian(Bytes& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
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

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != 0; });
}

// PNG specification 11.3.4: tEXt is keyword, zero, text; iTXt has no compression, no language and
// no translated keyword in between.
Bytes text_chunk(const std::string& keyword, const std::string& text) {
  if (keyword.empty() || keyword.size() > 79) {
    fail(Cause::Usage, "PNG text keyword \"", keyword, "\": expected 1 to 79 characters");
  }
  const bool plain = is_ascii(text) && !keyword.starts_with("XML:");
  Bytes body;
  append(body, (plain ? "tEXt" : "iTXt") + keyword);
  body.insert(body.end(), plain ? 1 : 5, 0);
  append(body, text);
  Bytes chunk;
  append_big_endian(chunk, static_cast<std::uint32_t>(body.size() - 4));
  chunk.insert(chunk.end(), body.begin(), body.end());
  append_big_endian(chunk, crc32(body));
  return chunk;
}

// RIFF: name, size, data, and a padding byte after an odd size.
void append_riff_chunk(Bytes& bytes, std::string_view name, std::span<const std::uint8_t> data) {
  append(bytes, name);
  append_little_endian(bytes, static_cast<std::uint32_t>(data.size()), 4);
  bytes.insert(bytes.end(), data.begin(), data.end());
  if (data.size() % 2 != 0) bytes.push_back(0);
}

void append_app1(Bytes& bytes, std::string_view name, std::string_view data) {
  if (data.empty()) return;
  const std::size_t length = 2 + name.size() + data.size();
  if (length > 0xffff) {
    fail(Cause::BadInput, "metadata of ", data.size(), " bytes: a JPEG takes at most ",
         0xffff - 2 - name.size(), "; shorten the prompts or the texts, or write a PNG");
  }
  bytes.insert(bytes.end(), {0xff, 0xe1, static_cast<std::uint8_t>(length >> 8),
                             static_cast<std::uint8_t>(length)});
  append(bytes, name);
  append(bytes, data);
}

}  // namespace

Bytes with_jpeg_metadata(Bytes jpeg, const Bytes& exif, const std::string& xmp) {
  constexpr std::size_t kStart = 2;
  if (jpeg.size() < kStart + 2) fail(Cause::Internal, "JPEG of ", jpeg.size(), " bytes");
  // JFIF 1.01, square pixels, no thumbnail; it comes first, so encode_jpeg() leaves it to us.
  Bytes head = {0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
  if (jpeg[kStart + 1] == 0xe0) head.clear();
  // EXIF 2.32 section 4.7.2, XMP specification part 3 section 1.1.3: the names before the data.
  append_app1(head, {"Exif\0\0", 6}, {reinterpret_cast<const char*>(exif.data()), exif.size()});
  append_app1(head, {"http://ns.adobe.com/xap/1.0/\0", 29}, xmp);
  jpeg.insert(jpeg.begin() + kStart, head.begin(), head.end());
  return jpeg;
}

Bytes with_png_text(Bytes png, const std::vector<std::pair<std::string, std::string>>& text) {
  constexpr std::size_t kHeader = 8 + 25;  // signature and IHDR
  if (png.size() < kHeader) fail(Cause::Internal, "PNG of ", png.size(), " bytes");
  Bytes chunks;
  for (const auto& [keyword, value] : text) {
    const Bytes chunk = text_chunk(keyword, value);
    chunks.insert(chunks.end(), chunk.begin(), chunk.end());
  }
  png.insert(png.begin() + kHeader, chunks.begin(), chunks.end());
  return png;
}

Bytes with_webp_metadata(const Bytes& webp, const Bytes& exif, const std::string& xmp,
                         const WebpCanvas& canvas) {
  constexpr std::size_t kHeader = 12;  // "RIFF", size, "WEBP"
  if (webp.size() < kHeader + 8) fail(Cause::Internal, "WebP of ", webp.size(), " bytes");
  Bytes pixels;
  bool extended = !xmp.empty() || !exif.empty();
  std::size_t at = kHeader;
  while (at + 8 <= webp.size()) {
    const std::string_view name(reinterpret_cast<const char*>(webp.data()) + at, 4);
    const std::size_t size = webp[at + 4] | (webp[at + 5] << 8) | (webp[at + 6] << 16) |
                             (static_cast<std::size_t>(webp[at + 7]) << 24);
    if (size > webp.size() - at - 8) fail(Cause::Internal, "WebP chunk of ", size, " bytes");
    if (name == "VP8 " || name == "VP8L" || name == "ALPH") {
      append_riff_chunk(pixels, name, std::span(webp).subspan(at + 8, size));
      extended = extended || name == "ALPH";
    }
    at += 8 + size + size % 2;
  }
  Bytes result(webp.begin(), webp.begin() + kHeader);
  if (extended) {
    // WebP container specification, "Extended File Format": the flags are bits from the right.
    constexpr int kXmp = 0x04;
    constexpr int kExif = 0x08;
    constexpr int kAlpha = 0x10;
    Bytes head = {static_cast<std::uint8_t>((xmp.empty() ? 0 : kXmp) | (exif.empty() ? 0 : kExif) |
                                            (canvas.alpha ? kAlpha : 0)),
                  0, 0, 0};
    append_little_endian(head, static_cast<std::uint32_t>(canvas.width - 1), 3);
    append_little_endian(head, static_cast<std::uint32_t>(canvas.height - 1), 3);
    append_riff_chunk(result, "VP8X", head);
  }
  result.insert(result.end(), pixels.begin(), pixels.end());
  if (!exif.empty()) append_riff_chunk(result, "EXIF", exif);
  if (!xmp.empty()) {
    append_riff_chunk(result, "XMP ",
                      {reinterpret_cast<const std::uint8_t*>(xmp.data()), xmp.size()});
  }
  Bytes size;
  append_little_endian(size, static_cast<std::uint32_t>(result.size() - 8), 4);
  std::copy(size.begin(), size.end(), result.begin() + 4);
  return result;
}

}  // namespace affiche::cards
