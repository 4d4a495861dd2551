// SPDX-License-Identifier: Apache-2.0
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (c >> 6)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (c >> 12)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | (c >> 18)));
    out.push_back(static_cast<char>(0x80 | ((c >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((c >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

struct Decoded {
  std::uint32_t value = kReplacement;
  std::size_t length = 1;
  bool good = false;
};

// One character at the front (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
Decoded decode_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t value = first & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (at(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, length, true};
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (!next.good) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

std::string guessed_to_utf8(std::string_view text) {
  return is_utf8(text) ? std::string(text) : latin1_to_utf8(text);
}

std::string utf16_to_utf8(std::span<const std::uint8_t> bytes, Endian order) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    return order == Endian::Big ? (bytes[i] << 8) | bytes[i + 1] : (bytes[i + 1] << 8) | bytes[i];
  };
  std::string out;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xe000) {
      const bool pair = c < 0xdc00 && i + 3 < bytes.size() && (unit(i + 2) & 0xfc00) == 0xdc00;
      c = pair ? 0x10000 + ((c - 0xd800) << 10) + (unit(i + 2) - 0xdc00) : kReplacement;
      if (pair) i += 2;
    }
    append_utf8(out, c);
  }
  return out;
}

Bytes utf8_to_utf16(std::string_view text, Endian order) {
  Bytes out;
  const auto append = [&](std::uint32_t unit) {
    const auto high = static_cast<std::uint8_t>(unit >> 8);
    const auto low = static_cast<std::uint8_t>(unit);
    out.push_back(order == Endian::Big ? high : low);
    out.push_back(order == Endian::Big ? low : high);
  };
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    if (next.value >= 0x10000) {
      append(0xd800 + ((next.value - 0x10000) >> 10));
      append(0xdc00 + ((next.value - 0x10000) & 0x3ff));
    } else {
      append(next.value);
    }
    text.remove_prefix(next.length);
  }
  return out;
}

std::string clean_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    const bool control = next.value < 0x20 || (next.value >= 0x7f && next.value < 0xa0);
    const bool kept = !control || next.value == '\n' || next.value == '\t';
    append_utf8(out, kept ? next.value : ' ');
    text.remove_prefix(next.length);
  }
  return out;
}

}  // namespace affiche::recipes
