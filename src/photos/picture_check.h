// SPDX-License-Identifier: Apache-2.0
// A whole look at a foreign picture from outside, before any decoder sees it: its container is
// walked from the first byte to the last. Bounded by the number of bytes; allocates nothing.
// Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "photos/picture_header.h"

namespace affiche::photos {

struct PictureLimits {
  std::int64_t max_pixels = 100'000'000;
  int max_side = 32'768;
  // A progressive JPEG is decoded whole, at 2 bytes for each sample, and each scan goes over it
  // again: JPEG files of a few KB with hundreds of scans take minutes.
  int max_scans = 64;
};

// BadInput, starting with `what`, for bytes that are no JPEG, PNG or WebP, that end early, that
// hold several frames (APNG, animated WebP), or that go on after their end with something that is
// no further picture, as polyglots do; Refused for more pixels or scans than the limits.
PictureHeader check_picture(std::span<const std::uint8_t> bytes, const std::string& what,
                            const PictureLimits& limits);

}  // namespace affiche::photos
