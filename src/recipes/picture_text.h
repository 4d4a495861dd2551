// SPDX-License-Identifier: Apache-2.0
// Texts that PNG, JPEG and WebP files carry beside the pixels. The pixels are not looked at.
// Thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "recipes/exif.h"

namespace affiche::recipes {

enum class PictureKind { Png, Jpeg, Webp };

// By the first bytes.
std::optional<PictureKind> picture_kind(std::span<const std::uint8_t> bytes);

// PNG text chunks under their keywords (compressed ones too), EXIF as read_exif(), an XMP packet as
// "xmp", a JPEG comment as "comment"; in file order. BadInput, starting with `what`, for other
// files, damaged ones, and more than 32 MiB of text.
std::vector<PictureText> read_picture_text(std::span<const std::uint8_t> bytes,
                                           const std::string& what);

}  // namespace affiche::recipes
