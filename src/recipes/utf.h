// SPDX-License-Identifier: Apache-2.0
// Text of old encodings to UTF-8 and back. What cannot be read becomes U+FFFD. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "recipes/byte_view.h"

namespace affiche::recipes {

bool is_utf8(std::string_view text);
// Every byte a character.
std::string latin1_to_utf8(std::string_view text);
// UTF-8 as it is, anything else as Latin-1: PNG says Latin-1, and programs write UTF-8.
std::string guessed_to_utf8(std::string_view text);
std::string utf16_to_utf8(std::span<const std::uint8_t> bytes, Endian order);
Bytes utf8_to_utf16(std::string_view text, Endian order);
// UTF-8 without control characters but tab and newline, and without broken sequences.
std::string clean_text(std::string_view text);

}  // namespace affiche::recipes
