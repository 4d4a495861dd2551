// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/precompiled_charsmap.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

// A unit of the double array (Darts-clone): bits 0 to 7 are the label, bit 8 says that a value
// follows, bit 9 that the offset counts in 256s, bits 10 to 30 are the offset; bit 31 marks values.
bool has_value(std::uint32_t unit) {
  return ((unit >> 8) & 1) == 1;
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
std::uint32_t label_of(std::uint32_t unit) {
  return unit & 0x800000FF;
}
std::uint32_t offset_of(std::uint32_t unit) {
  return (unit >> 10) << ((unit & 0x200) >> 6);
}

std::uint32_t little_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Longer clusters are not looked up as a whole.
constexpr std::size_t kLongestCluster = 5;

}  // namespace

PrecompiledCharsmap::PrecompiledCharsmap(std::string_view bytes, std::string what)
    : what_(std::move(what)) {
  const std::size_t size = bytes.size() >= 4 ? little_endian(bytes.data()) : 0;
  if (size < 4 || size % 4 != 0 || size > bytes.size() - 4) {
    fail(Cause::BadInput, what_, ": precompiled_charsmap: expected the size of its table, a ",
         "multiple of 4 within its ", bytes.size(), " bytes, found ", size,
         "; the file is damaged");
  }
  for (std::size_t i = 0; i < size; i += 4) units_.push_back(little_endian(&bytes[4 + i]));
  replacements_ = bytes.substr(4 + size);
}

std::uint32_t PrecompiledCharsmap::unit(std::uint32_t node) const {
  if (node < units_.size()) return units_[node];
  fail(Cause::BadInput, what_, ": precompiled_charsmap: it leads to entry ", node, " of ",
       units_.size(), "; the file is damaged");
}

std::optional<std::u32string> PrecompiledCharsmap::replacement(std::string_view utf8) const {
  std::uint32_t node = offset_of(unit(0));
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) break;
    node ^= byte;
    const std::uint32_t here = unit(node);
    if (label_of(here) != byte) break;
    node ^= offset_of(here);
    if (!has_value(here)) continue;
    const std::size_t begin = value_of(unit(node));
    if (begin > replacements_.size()) {
      fail(Cause::BadInput, what_, ": precompiled_charsmap: it leads to byte ", begin, " of ",
           replacements_.size(), " bytes of replacements; the file is damaged");
    }
    const std::size_t end = std::min(replacements_.find('\0', begin), replacements_.size());
    return unicode::from_utf8(std::string_view(replacements_).substr(begin, end - begin),
                              what_ + ": precompiled_charsmap");
  }
  return std::nullopt;
}

std::u32string PrecompiledCharsmap::normalize(std::u32string_view text) const {
  std::u32string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::u32string_view cluster =
        text.substr(begin, unicode::cluster_length(text.substr(begin)));
    begin += cluster.size();
    // Five characters at most can be five bytes; longer clusters need not be encoded.
    if (cluster.size() <= kLongestCluster) {
      const std::string utf8 = unicode::to_utf8(cluster);
      if (utf8.size() <= kLongestCluster) {
        if (const auto found = replacement(utf8)) {
          result += *found;
          continue;
        }
      }
    }
    for (const char32_t c : cluster) {
      const auto found = replacement(unicode::to_utf8({&c, 1}));
      result += found ? *found : std::u32string(1, c);
    }
  }
  return result;
}

}  // namespace affiche::diffusion
