// SPDX-License-Identifier: Apache-2.0
#include "cards/subject.h"

#include <exempi/xmp.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cards/decode.h"
#include "cards/xmp_toolkit.h"

namespace affiche::cards {
namespace {

constexpr const char* kRegions = "http://www.metadataworkinggroup.com/schemas/regions/";
constexpr const char* kExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr int kMostRegions = 32;
constexpr std::size_t kLargestPacket = 1U << 20;

bool is_inside(const Subject& subject) {
  return subject.x >= 0 && subject.x <= 1 && subject.y >= 0 && subject.y <= 1 &&
         subject.width >= 0 && subject.width <= 1 && subject.height >= 0 && subject.height <= 1;
}

// The box around both.
Subject joined(const Subject& a, const Subject& b) {
  const double left = std::min(a.x - a.width / 2, b.x - b.width / 2);
  const double right = std::max(a.x + a.width / 2, b.x + b.width / 2);
  const double top = std::min(a.y - a.height / 2, b.y - b.height / 2);
  const double bottom = std::max(a.y + a.height / 2, b.y + b.height / 2);
  return {(left + right) / 2, (top + bottom) / 2, right - left, bottom - top};
}

// A parsed packet. The toolkit's mutex is held by whoever has one.
class Packet {
 public:
  explicit Packet(std::span<const std::uint8_t> bytes)
      : xmp_(xmp_new(reinterpret_cast<const char*>(bytes.data()), bytes.size()), &xmp_free) {}
  bool good() const { return xmp_ != nullptr; }

  std::string text(const char* schema, const std::string& path) const {
    const std::unique_ptr<_XmpString, decltype(&xmp_string_free)> value(xmp_string_new(),
                                                                        &xmp_string_free);
    if (!xmp_get_property(xmp_.get(), schema, path.c_str(), value.get(), nullptr)) return "";
    return xmp_string_cstr(value.get());
  }
  std::optional<double> number(const char* schema, const std::string& path) const {
    const std::string value = text(schema, path);
    char* end = nullptr;
    const double result = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0' || !std::isfinite(result)) return std::nullopt;
    return result;
  }

 private:
  std::unique_ptr<_Xmp, decltype(&xmp_free)> xmp_;
};

// Metadata Working Group, "Guidelines for Handling Image Metadata" 2.0, section 5.9: the middle and
// the size as fractions of the stored picture.
std::optional<Subject> from_regions(const Packet& packet) {
  std::optional<Subject> faces;
  for (int i = 1; i <= kMostRegions; ++i) {
    const std::string region = concat("mwg-rs:Regions/mwg-rs:RegionList[", i, "]/mwg-rs:");
    const std::string area = region + "Area/stArea:";
    const auto x = packet.number(kRegions, area + "x");
    const auto y = packet.number(kRegions, area + "y");
    if (!x || !y) break;
    const double diameter = packet.number(kRegions, area + "d").value_or(0);
    const Subject subject = {*x, *y, packet.number(kRegions, area + "w").value_or(diameter),
                             packet.number(kRegions, area + "h").value_or(diameter)};
    if (!is_inside(subject)) continue;
    const std::string type = packet.text(kRegions, region + "Type");
    if (type == "Focus") return subject;
    if (type == "Face") faces = faces ? joined(*faces, subject) : subject;
  }
  return faces;
}

// IPTC Photo Metadata Standard 2019.1, Image Region: rectangles by their upper left corner, circles
// by their middle; relative to the picture's size, or in pixels.
std::optional<Subject> from_iptc(const Packet& packet, double width, double height) {
  const std::string boundary = "Iptc4xmpExt:ImageRegion[1]/Iptc4xmpExt:RegionBoundary/Iptc4xmpExt:";
  const auto number = [&](const char* name) { return packet.number(kExt, boundary + name); };
  const auto x = number("rbX");
  const auto y = number("rbY");
  if (!x || !y) return std::nullopt;
  const bool pixels = packet.text(kExt, boundary + "rbUnit") == "pixel";
  Subject subject = {*x, *y, number("rbW").value_or(0), number("rbH").value_or(0)};
  if (packet.text(kExt, boundary + "rbShape") == "circle") {
    subject.width = subject.height = 2 * number("rbRx").value_or(0);
  } else {
    subject.x += subject.width / 2;
    subject.y += subject.height / 2;
  }
  if (pixels) {
    subject = {subject.x / width, subject.y / height, subject.width / width,
               subject.height / height};
  }
  if (!is_inside(subject)) return std::nullopt;
  return subject;
}

// EXIF 2.32, SubjectArea: a point, a circle (its diameter) or a rectangle, in pixels.
std::optional<Subject> from_exif(const std::string& text, double width, double height) {
  double values[4] = {0, 0, 0, 0};
  const int count =
      std::sscanf(text.c_str(), "%lf %lf %lf %lf", &values[0], &values[1], &values[2], &values[3]);
  if (count < 2) return std::nullopt;
  Subject subject = {values[0] / width, values[1] / height, 0, 0};
  if (count >= 3) subject.width = values[2] / width;
  if (count >= 3) subject.height = (count == 4 ? values[3] : values[2]) / height;
  if (!is_inside(subject)) return std::nullopt;
  return subject;
}

// Whether libvips would find anything, without asking it: metadata stand before the pixels.
bool may_have_metadata(std::span<const std::uint8_t> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 256U << 10));
  return head.starts_with("RIFF") || head.find("Exif") != std::string_view::npos ||
         head.find("ns.adobe.com/x") != std::string_view::npos ||
         head.find("adobe:ns:meta") != std::string_view::npos;
}

std::optional<Subject> stored_subject(const vips::VImage& image) {
  const double width = image.width();
  const double height = image.height();
  if (image.get_typeof(VIPS_META_XMP_NAME) != 0) {
    std::size_t size = 0;
    const auto* data = static_cast<const std::uint8_t*>(image.get_blob(VIPS_META_XMP_NAME, &size));
    if (size <= kLargestPacket) {
      start_toolkit();
      const std::lock_guard lock(toolkit_mutex());
      const Packet packet({data, size});
      if (packet.good()) {
        if (const auto subject = from_regions(packet)) return subject;
        if (const auto subject = from_iptc(packet, width, height)) return subject;
      }
    }
  }
  constexpr const char* kSubjectArea = "exif-ifd2-SubjectArea";
  if (image.get_typeof(kSubjectArea) == 0) return std::nullopt;
  return from_exif(image.get_string(kSubjectArea), width, height);
}

}  // namespace

Subject upright(const Subject& subject, int orientation) {
  const auto& [x, y, width, height, leeway] = subject;
  switch (orientation) {
    case 2:
      return {1 - x, y, width, height, leeway};
    case 3:
      return {1 - x, 1 - y, width, height, leeway};
    case 4:
      return {x, 1 - y, width, height, leeway};
    case 5:
      return {y, x, height, width, leeway};
    case 6:
      return {1 - y, x, height, width, leeway};
    case 7:
      return {1 - y, 1 - x, height, width, leeway};
    case 8:
      return {y, 1 - x, height, width, leeway};
    default:
      return subject;
  }
}

std::optional<Subject> subject_of(std::span<const std::uint8_t> bytes) {
  if (!may_have_metadata(bytes)) return std::nullopt;
  start_vips();
  try {
    const auto image = vips::VImage::new_from_buffer(bytes.data(), bytes.size(), "");
    const std::optional<Subject> subject = stored_subject(image);
    if (!subject) return std::nullopt;
    const bool turned = image.get_typeof(VIPS_META_ORIENTATION) != 0;
    return upright(*subject, turned ? image.get_int(VIPS_META_ORIENTATION) : 1);
  } catch (const vips::VError&) {
    vips_error_clear();  // Whoever decodes the picture says what is wrong with it.
    return std::nullopt;
  }
}

}  // namespace affiche::cards
