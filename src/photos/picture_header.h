// SPDX-License-Identifier: Apache-2.0
// What a picture says about itself in its first bytes, before any decoder sees it: the name of a
// file proves nothing. Reads only within the span. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace affiche::photos {

struct PictureHeader {
  std::string media_type;  // image/jpeg, image/png, image/webp
  int width = 0;           // pixels as stored, before any EXIF turn
  int height = 0;
};

// BadInput, starting with `what`, unless the bytes begin as a JPEG, PNG or WebP with a size of at
// least 1×1.
PictureHeader read_picture_header(std::span<const std::uint8_t> bytes, const std::string& what);

}  // namespace affiche::photos
