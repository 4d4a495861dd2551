// SPDX-License-Identifier: Apache-2.0
// JPEG: ITU T.81 annex B. PNG: W3C PNG (third edition) 5, 11. WebP: RFC 9649.
#include "photos/picture_check.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace affiche::photos {
namespace {

class View {
 public:
  View(std::span<const std::uint8_t> bytes, const std::string& what) : bytes_(bytes), what_(what) {}
  std::size_t size() const { return bytes_.size(); }
  // The file must be that long.
  void need(std::size_t end) const {
    if (end > bytes_.size()) {
      refuse(concat("expected ", end, " bytes or more, found ", bytes_.size(),
                    ": the file is cut short"));
    }
  }
  std::uint32_t byte(std::size_t at) const {
    need(at + 1);
    return bytes_[at];
  }
  std::uint32_t big16(std::size_t at) const { return byte(at) << 8 | byte(at + 1); }
  std::uint32_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  std::uint32_t little32(std::size_t at) const {
    return byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
  }
  bool matches(std::size_t at, std::string_view text) const {
    return at <= bytes_.size() && text.size() <= bytes_.size() - at &&
           std::equal(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  }
  // Where a byte stands from `at` on; size() when nowhere.
  std::size_t find(std::uint8_t value, std::size_t at) const {
    if (at >= bytes_.size()) return bytes_.size();
    const auto found =
        std::find(bytes_.begin() + static_cast<std::ptrdiff_t>(at), bytes_.end(), value);
    return static_cast<std::size_t>(found - bytes_.begin());
  }
  [[noreturn]] void refuse(const std::string& message) const {
    fail(Cause::BadInput, what_, ": ", message);
  }
  const std::string& what() const { return what_; }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& what_;
};

// From the marker SOI at `at` to behind EOI.
std::size_t walk_jpeg(const View& in, std::size_t at, const PictureLimits& limits) {
  int scans = 0;
  at += 2;
  while (true) {
    if (in.byte(at) != 0xff) in.refuse("JPEG: expected a marker, found other bytes");
    const std::uint32_t marker = in.byte(at + 1);
    if (marker == 0xff) {
      ++at;
      continue;
    }
    if (marker == 0xd9) return at + 2;
    if (marker == 0xd8) in.refuse("JPEG: a picture begins within a picture");
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
      continue;
    }
    const std::uint32_t length = in.big16(at + 2);
    if (length < 2) in.refuse("JPEG: a segment without its length");
    at += 2 + length;
    in.need(at);
    if (marker != 0xda) continue;
    if (++scans > limits.max_scans) {
      fail(Cause::Refused, in.what(), ": expected at most ", limits.max_scans,
           " scans, found more; save it again");
    }
    // Entropy-coded data: to the next marker that is neither a stuffed byte nor a restart.
    while (true) {
      at = in.find(0xff, at);
      in.need(at + 2);
      const std::uint32_t next = in.byte(at + 1);
      if (next != 0 && !(next >= 0xd0 && next <= 0xd7) && next != 0xff) break;
      at += next == 0xff ? 1 : 2;
    }
  }
}

// What cameras write behind the picture: further JPEGs (multi-picture format), padding, a film of
// the moment (ISO base media), maker's trailers that name themselves.
void check_after_jpeg(const View& in, std::size_t at, const PictureLimits& limits) {
  while (at < in.size()) {
    if (in.matches(at + 4, "ftyp")) return;
    if (in.byte(at) == 0) {
      ++at;
    } else if (in.matches(at, "\xff\xd8\xff")) {
      at = walk_jpeg(in, at, limits);
    } else {
      in.refuse("other data after the end of the picture, found at byte " + std::to_string(at));
    }
  }
}

void walk_png(const View& in) {
  std::size_t at = 8;
  bool data = false;
  while (true) {
    const std::uint32_t length = in.big32(at);
    if (length > 0x7fffffff) in.refuse("PNG: a chunk longer than the format allows");
    in.need(at + 12 + length);
    if (in.matches(at + 4, "acTL")) in.refuse("expected one picture, found an animated PNG");
    if (in.matches(at + 4, "IDAT")) data = true;
    const bool end = in.matches(at + 4, "IEND");
    at += 12 + length;
    if (end) break;
  }
  if (!data) in.refuse("PNG: no picture data");
  if (at != in.size()) {
    in.refuse("other data after the end of the picture, found at byte " + std::to_string(at));
  }
}

void walk_webp(const View& in) {
  const std::uint64_t end = std::uint64_t{in.little32(4)} + 8;
  in.need(end);
  if (end != in.size()) {
    in.refuse("other data after the end of the picture, found at byte " + std::to_string(end));
  }
  bool data = false;
  for (std::uint64_t at = 12; at < end;) {
    const std::uint64_t next = at + 8 + in.little32(at + 4) + (in.little32(at + 4) & 1);
    in.need(next);
    const bool animated = in.matches(at, "ANIM") || in.matches(at, "ANMF") ||
                          (in.matches(at, "VP8X") && (in.byte(at + 8) & 0x02) != 0);
    if (animated) in.refuse("expected one picture, found an animated WebP");
    if (in.matches(at, "VP8 ") || in.matches(at, "VP8L")) data = true;
    at = next;
  }
  if (!data) in.refuse("WebP: no picture data");
}

}  // namespace

PictureHeader check_picture(std::span<const std::uint8_t> bytes, const std::string& what,
                            const PictureLimits& limits) {
  const PictureHeader header = read_picture_header(bytes, what);
  const std::int64_t pixels = std::int64_t{header.width} * header.height;
  if (pixels > limits.max_pixels || std::max(header.width, header.height) > limits.max_side) {
    fail(Cause::Refused, what, ": expected at most ", limits.max_pixels, " pixels and ",
         limits.max_side, " a side, found ", header.width, "×", header.height);
  }
  const View in(bytes, what);
  if (header.media_type == "image/jpeg") {
    check_after_jpeg(in, walk_jpeg(in, 0, limits), limits);
  } else if (header.media_type == "image/png") {
    walk_png(in);
  } else {
    walk_webp(in);
  }
  return header;
}

}  // namespace affiche::photos
