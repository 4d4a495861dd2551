// SPDX-License-Identifier: Apache-2.0
// The first bytes of pictures, enough for what reads only headers.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/files.h"

namespace affiche::test {

inline void append(Bytes& bytes, std::string_view text) {
  for (const char c : text) bytes.push_back(static_cast<std::uint8_t>(c));
}

inline void append(Bytes& bytes, std::uint32_t value, int count, bool big) {
  for (int i = 0; i < count; ++i) {
    const int shift = 8 * (big ? count - 1 - i : i);
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// SOI, an APP0 segment, SOF0.
inline Bytes jpeg_header(std::uint32_t width, std::uint32_t height) {
  Bytes bytes = {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x04, 0x4a, 0x46, 0xff, 0xc0, 0x00, 0x11, 0x08};
  append(bytes, height, 2, true);
  append(bytes, width, 2, true);
  return bytes;
}

inline Bytes png_header(std::uint32_t width, std::uint32_t height) {
  Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  append(bytes, width, 4, true);
  append(bytes, height, 4, true);
  return bytes;
}

inline Bytes webp_header(std::string_view chunk, std::uint32_t width, std::uint32_t height) {
  Bytes bytes;
  append(bytes, "RIFF\x10\x10\x10\x10WEBP");
  append(bytes, chunk);
  append(bytes, "\x10\x10\x10\x10");
  if (chunk == "VP8 ") {
    append(bytes, "\x01\x01\x01\x9d\x01\x2a");
    append(bytes, width, 2, false);
    append(bytes, height, 2, false);
  } else if (chunk == "VP8L") {
    append(bytes, "\x2f");
    append(bytes, (width - 1) | (height - 1) << 14, 4, false);
  } else {
    append(bytes, "\x01\x01\x01\x01");
    append(bytes, width - 1, 3, false);
    append(bytes, height - 1, 3, false);
  }
  return bytes;
}

}  // namespace affiche::test
