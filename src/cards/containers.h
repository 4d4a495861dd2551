// SPDX-License-Identifier: Apache-2.0
// Metadata put into finished JPEG, PNG and WebP files. libvips can embed XMP too, but in JPEG and
// WebP it adds an EXIF block of its own that calls the colours uncalibrated.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace affiche::cards {

// `xmp` as an APP1 segment behind a JFIF header. BadInput above 64 KiB.
Bytes with_jpeg_xmp(Bytes jpeg, const std::string& xmp);

// Each pair as an uncompressed iTXt chunk before the pixels.
Bytes with_png_text(Bytes png, const std::vector<std::pair<std::string, std::string>>& text);

struct WebpCanvas {
  int width = 0;
  int height = 0;
  bool alpha = false;
};
// The pixels alone, with `xmp` (unless empty) as the XMP chunk of the extended format: libvips 8.14
// writes its EXIF even when it strips.
Bytes with_webp_xmp(const Bytes& webp, const std::string& xmp, const WebpCanvas& canvas);

}  // namespace affiche::cards
