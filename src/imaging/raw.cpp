// SPDX-License-Identifier: Apache-2.0
#include "imaging/raw.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace affiche {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'A', 'F', 'P', 'X'};
constexpr std::size_t kHeader = 20;
constexpr std::uint32_t kVersion = 1;

void append_u32(Bytes& bytes, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint32_t read_u32(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{bytes[at + i]} << (8 * i);
  return value;
}

}  // namespace

Bytes to_raw(const Image& image) {
  Bytes bytes(kMagic.begin(), kMagic.end());
  bytes.reserve(kHeader + image.pixels.size());
  append_u32(bytes, kVersion);
  append_u32(bytes, static_cast<std::uint32_t>(image.width));
  append_u32(bytes, static_cast<std::uint32_t>(image.height));
  append_u32(bytes, static_cast<std::uint32_t>(image.channels));
  bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
  return bytes;
}

Image from_raw(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (bytes.size() < kHeader || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin()) ||
      read_u32(bytes, 4) != kVersion) {
    fail(Cause::BadInput, what, ": expected raw pixels (AFPX, version 1), found something else");
  }
  constexpr std::uint32_t kMaxSide = 32768;
  const std::uint32_t width = read_u32(bytes, 8);
  const std::uint32_t height = read_u32(bytes, 12);
  const std::uint32_t channels = read_u32(bytes, 16);
  if (width < 1 || width > kMaxSide || height < 1 || height > kMaxSide || channels < 3 ||
      channels > 4) {
    fail(Cause::BadInput, what, ": expected sides of 1 to ", kMaxSide,
         " pixels and 3 or 4 channels, found ", width, "x", height, "x", channels);
  }
  // Checked before the allocation: the header must not make us reserve what the file does not hold.
  const std::uint64_t expected = std::uint64_t{width} * height * channels;
  if (bytes.size() - kHeader != expected) {
    fail(Cause::BadInput, what, ": expected ", expected, " bytes of pixels, found ",
         bytes.size() - kHeader);
  }
  Image image =
      make_image(static_cast<int>(width), static_cast<int>(height), static_cast<int>(channels));
  std::memcpy(image.pixels.data(), bytes.data() + kHeader, image.pixels.size());
  return image;
}

}  // namespace affiche
