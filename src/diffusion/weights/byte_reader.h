// SPDX-License-Identifier: Apache-2.0
// Reading little-endian numbers from bytes that come from outside: every read is checked against
// the end, so that a damaged file becomes an error and never a stray access.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace affiche::diffusion {

static_assert(std::endian::native == std::endian::little, "files are read as they lie");

// A view; the bytes must outlive it. Errors are BadInput and name `what`. Not thread-safe.
class ByteReader {
 public:
  ByteReader(std::span<const std::uint8_t> bytes, std::string what, std::uint64_t position = 0)
      : bytes_(bytes), what_(std::move(what)) {
    seek(position);
  }

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }
  const std::string& what() const { return what_; }

  void seek(std::uint64_t position) {
    if (position > bytes_.size()) cut_short(position);
    position_ = position;
  }

  std::span<const std::uint8_t> take(std::uint64_t count) {
    if (count > remaining()) cut_short(count);
    const auto result = bytes_.subspan(position_, count);
    position_ += count;
    return result;
  }

  std::string_view text(std::uint64_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  // Up to the next line feed, which is taken and left out.
  std::string_view line() {
    std::uint64_t end = position_;
    while (end < bytes_.size() && bytes_[end] != '\n') ++end;
    if (end == bytes_.size()) cut_short(1);
    const std::string_view result = text(end - position_);
    ++position_;
    return result;
  }

  template <typename Number>
  Number number() {
    static_assert(std::is_arithmetic_v<Number>);
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

 private:
  [[noreturn]] void cut_short(std::uint64_t wanted) const {
    fail(Cause::BadInput, what_, ": expected ", wanted, " bytes at offset ", position_, ", found ",
         remaining(), "; the file is damaged or cut short");
  }

  std::span<const std::uint8_t> bytes_;
  std::string what_;
  std::uint64_t position_ = 0;
};

}  // namespace affiche::diffusion
