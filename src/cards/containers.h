// SPDX-License-Identifier: Apache-2.0
// Metadata put into finished JPEG, PNG and WebP files. libvips can embed XMP too, but in JPEG and
// WebP it adds an EXIF block of its own that calls the colours uncalibrated.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace affiche::cards {

// EXIF (a TIFF block) and XMP as APP1 segments behind a JFIF header. BadInput above 64 KiB.
Bytes with_jpeg_metadata(Bytes jpeg, const Bytes& exif, const std::string& xmp);

// Each pair as an uncompressed chunk before the pixels: tEXt when it is ASCII, else iTXt. XMP is
// always iTXt, as its specification wants.
Bytes with_png_text(Bytes png, const std::vector<std::pair<std::string, std::string>>& text);

struct WebpCanvas {
  int width = 0;
  int height = 0;
  bool alpha = false;
};
// The pixels alone, with EXIF and XMP (unless empty) as chunks of the extended format: libvips 8.14
// writes its own EXIF even when it strips.
Bytes with_webp_metadata(const Bytes& webp, const Bytes& exif, const std::string& xmp,
                         const WebpCanvas& canvas);

}  // namespace affiche::cards
