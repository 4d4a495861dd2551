// SPDX-License-Identifier: Apache-2.0
// Numbers and parts out of bytes from outside. Every read is checked; a length that a file claims
// is only ever compared with what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace affiche::recipes {

enum class Endian { Big, Little };

class ByteView {
 public:
  // `what` names the source in errors, for instance "a.png: EXIF".
  ByteView(std::span<const std::uint8_t> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  std::size_t size() const { return bytes_.size(); }
  bool has(std::size_t at, std::size_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  std::span<const std::uint8_t> part(std::size_t at, std::size_t count) const {
    if (!has(at, count)) {
      fail(Cause::BadInput, what_, ": expected ", count, " bytes at offset ", at, ", found ",
           at <= bytes_.size() ? bytes_.size() - at : 0, "; the file is cut off or damaged");
    }
    return bytes_.subspan(at, count);
  }
  std::string_view text(std::size_t at, std::size_t count) const {
    const auto found = part(at, count);
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }
  std::uint8_t byte(std::size_t at) const { return part(at, 1)[0]; }
  std::uint32_t number(std::size_t at, std::size_t count, Endian order) const {
    const auto found = part(at, count);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = (value << 8) | found[order == Endian::Big ? i : count - 1 - i];
    }
    return value;
  }
  std::uint32_t u16(std::size_t at, Endian order) const { return number(at, 2, order); }
  std::uint32_t u32(std::size_t at, Endian order) const { return number(at, 4, order); }
  const std::string& what() const { return what_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::string what_;
};

}  // namespace affiche::recipes
