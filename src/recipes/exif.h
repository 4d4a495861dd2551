// SPDX-License-Identifier: Apache-2.0
// EXIF as pictures of image generators carry it: A1111 and its heirs put the `parameters` text into
// UserComment, ComfyUI puts "prompt:{…}" and "workflow:{…}" into Model, Make and the tags before.
// Thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/files.h"

namespace affiche::recipes {

struct PictureText {
  std::string keyword;  // "parameters", "UserComment", "prompt", "xmp" …
  std::string text;     // UTF-8
};

// A TIFF block (EXIF 2.32, section 4.6) with UserComment and Software, big endian, the comment in
// UTF-16 as piexif writes it for A1111.
Bytes exif_block(const std::string& user_comment, const std::string& software);

// The texts of a TIFF block, with or without "Exif\0\0" before it: UserComment, and the ASCII
// values of the first directory. Unknown tags are passed over. BadInput for a damaged block.
std::vector<PictureText> read_exif(std::span<const std::uint8_t> bytes, const std::string& what);

}  // namespace affiche::recipes
