// SPDX-License-Identifier: Apache-2.0
// Where a photograph is cut, and that its colours are what its profile says.
#include <array>
#include <cmath>
#include <vips/vips8>

#include "base/error.h"
#include "cards/decode.h"
#include "cards/fixtures.h"
#include "cards/picture.h"
#include "cards/saliency.h"
#include "cards/subject.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

using vips::VImage;

// A wide grey picture with a red square whose middle is at `x` (a fraction), as JPEG with the
// metadata that `mark` adds.
Photo with_square(double x, const std::function<void(VImage&)>& mark = {}) {
  Image image = two_halves(900, 300, {120, 120, 120}, {120, 120, 120});
  for (int row = 120; row < 180; ++row) {
    for (int column = 0; column < 60; ++column) {
      const std::size_t at =
          row * image.stride() + (static_cast<std::size_t>(x * 900) - 30 + column) * 3;
      image.pixels[at] = 220;
      image.pixels[at + 1] = image.pixels[at + 2] = 20;
    }
  }
  VImage picture = borrow(image).copy();
  if (mark) mark(picture);
  std::size_t size = 0;
  void* data = nullptr;
  picture.write_to_buffer(".jpg", &data, &size, VImage::option()->set("Q", 92));
  const auto* bytes = static_cast<std::uint8_t*>(data);
  Photo photo(Bytes(bytes, bytes + size), good_credit());
  g_free(data);
  return photo;
}

std::function<void(VImage&)> xmp(const std::string& properties) {
  return [properties](VImage& image) {
    const std::string packet =
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
        "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
        "rdf:about=\"\" xmlns:mwg-rs=\"http://www.metadataworkinggroup.com/schemas/regions/\" "
        "xmlns:stArea=\"http://ns.adobe.com/xmp/sType/Area#\" "
        "xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">" +
        properties + "</rdf:Description></rdf:RDF></x:xmpmeta>";
    vips_image_set_blob_copy(image.get_image(), VIPS_META_XMP_NAME, packet.data(), packet.size());
  };
}

// EXIF 2.32: a TIFF file whose directory points to the EXIF one, which has one entry of four
// shorts: 225, 150, 90, 60.
void subject_area(VImage& image) {
  const std::uint8_t exif[] = {'E', 'x',  'i',  'f', 0,    0,    'I', 'I', 42, 0,  8, 0,  0,  0, 1,
                               0,   0x69, 0x87, 4,   0,    1,    0,   0,   0,  26, 0, 0,  0,  0, 0,
                               0,   0,    1,    0,   0x14, 0x92, 3,   0,   4,  0,  0, 0,  44, 0, 0,
                               0,   0,    0,    0,   0,    225,  0,   150, 0,  90, 0, 60, 0};
  vips_image_set_blob_copy(image.get_image(), VIPS_META_EXIF_NAME, exif, sizeof(exif));
}

std::string region(const std::string& type, double x, double y, double width, double height) {
  return concat("<rdf:li rdf:parseType=\"Resource\"><mwg-rs:Area stArea:x=\"", x, "\" stArea:y=\"",
                y, "\" stArea:w=\"", width, "\" stArea:h=\"", height,
                "\" stArea:unit=\"normalized\"/><mwg-rs:Type>", type, "</mwg-rs:Type></rdf:li>");
}

std::string regions(const std::string& items) {
  return "<mwg-rs:Regions rdf:parseType=\"Resource\"><mwg-rs:RegionList><rdf:Bag>" + items +
         "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>";
}

// The middle of the red pixels of a crop, in fractions of it; nothing when there are none.
std::optional<double> red_at(const Image& image) {
  double sum = 0;
  int count = 0;
  for (int x = 0; x < image.width; ++x) {
    for (int y = 0; y < image.height; ++y) {
      const std::uint8_t* pixel =
          &image.pixels[y * image.stride() + static_cast<std::size_t>(x) * 3];
      if (pixel[0] < 150 || pixel[1] > 90) continue;
      sum += x;
      ++count;
    }
  }
  if (count < 40) return std::nullopt;
  return sum / count / image.width;
}

}  // namespace

TEST_CASE("a focus region beats faces, and faces are taken together", "[photo]") {
  const std::string faces = region("Face", 0.2, 0.4, 0.1, 0.2) + region("Face", 0.4, 0.4, 0.1, 0.2);
  const auto both = subject_of(with_square(0.5, xmp(regions(faces))).encoded());
  REQUIRE(both.has_value());
  CHECK(both->x == Approx(0.3));
  CHECK(both->width == Approx(0.3));
  const auto focus =
      subject_of(with_square(0.5, xmp(regions(faces + region("Focus", 0.8, 0.6, 0, 0)))).encoded());
  REQUIRE(focus.has_value());
  CHECK(focus->x == Approx(0.8));
}

TEST_CASE("IPTC image regions and EXIF subject areas are understood", "[photo]") {
  const auto iptc = subject_of(
      with_square(0.5, xmp("<Iptc4xmpExt:ImageRegion><rdf:Bag><rdf:li "
                           "rdf:parseType=\"Resource\"><Iptc4xmpExt:RegionBoundary "
                           "Iptc4xmpExt:rbShape=\"rectangle\" Iptc4xmpExt:rbUnit=\"relative\" "
                           "Iptc4xmpExt:rbX=\"0.1\" Iptc4xmpExt:rbY=\"0.2\" "
                           "Iptc4xmpExt:rbW=\"0.2\" Iptc4xmpExt:rbH=\"0.4\"/></rdf:li></rdf:Bag>"
                           "</Iptc4xmpExt:ImageRegion>"))
          .encoded());
  REQUIRE(iptc.has_value());
  CHECK(iptc->x == Approx(0.2));
  CHECK(iptc->y == Approx(0.4));
  const auto exif = subject_of(with_square(0.5, subject_area).encoded());
  REQUIRE(exif.has_value());
  CHECK(exif->x == Approx(0.25));
  CHECK(exif->width == Approx(0.1));
}

TEST_CASE("metadata that lie are no subject and no error", "[photo]") {
  for (const std::string& bad :
       {regions(region("Face", 7, 0.5, 0.1, 0.1)), regions(region("Pet", 0.5, 0.5, 0.1, 0.1)),
        std::string("<broken"), std::string()}) {
    CHECK_FALSE(subject_of(with_square(0.5, xmp(bad)).encoded()).has_value());
  }
  CHECK_FALSE(subject_of(Bytes{}).has_value());
  const std::string text = "Exif ns.adobe.com/x but no picture";
  CHECK_FALSE(subject_of(Bytes(text.begin(), text.end())).has_value());
}

TEST_CASE("subjects turn with the picture", "[photo]") {
  const Subject stored = {0.2, 0.1, 0.3, 0.4};
  const Subject right = upright(stored, 6);
  CHECK(right.x == Approx(0.9));
  CHECK(right.y == Approx(0.2));
  CHECK(right.width == Approx(0.4));
  const Subject left = upright(stored, 8);
  CHECK(left.x == Approx(0.1));
  CHECK(left.y == Approx(0.8));
  CHECK(upright(stored, 3).x == Approx(0.8));
  CHECK(upright(stored, 1).y == Approx(0.1));
}

TEST_CASE("the job's focus beats the photo's own, which beats what draws the eye", "[photo]") {
  const Photo photo = with_square(0.2, xmp(regions(region("Focus", 0.8, 0.5, 0, 0))));
  const PhotoLayer layer;
  CHECK_FALSE(red_at(cover(photo, 300, 300, layer).image).has_value());
  PhotoPlace place;
  place.focus = {0.2, 0.5};
  const auto at = red_at(cover(photo, 300, 300, layer, place).image);
  REQUIRE(at.has_value());
  CHECK(*at == Approx(0.5).margin(0.06));
  const auto seen = red_at(cover(with_square(0.2), 300, 300, layer).image);
  REQUIRE(seen.has_value());
  CHECK(*seen == Approx(0.5).margin(0.2));
}

TEST_CASE("words are kept off the subject", "[photo]") {
  const Photo photo = with_square(0.5);
  PhotoPlace place;
  place.focus = {0.5, 0.5};
  CHECK(red_at(cover(photo, 300, 300, {}, place).image).value_or(0) == Approx(0.5).margin(0.03));
  place.taken = {{0, 0.3, 0.62, 0.4}};  // the left and the middle
  CHECK(red_at(cover(photo, 300, 300, {}, place).image).value_or(0) > 0.7);
  place.taken = {{0.38, 0.3, 0.62, 0.4}};  // the right and the middle
  CHECK(red_at(cover(photo, 300, 300, {}, place).image).value_or(1) < 0.3);
}

TEST_CASE("a crop that cannot help keeps the subject in the middle", "[photo]") {
  const Subject middle;
  const std::vector<Box> everywhere = {{0, 0, 1, 1}};
  const auto at = place_crop(900, 300, 300, 300, middle, everywhere);
  CHECK(at[0] == Approx(300));
  CHECK(at[1] == Approx(0));
}

TEST_CASE("a contained photo is whole and not called cropped", "[photo]") {
  PhotoLayer layer;
  layer.fit = PhotoLayer::Fit::Contain;
  const Photo photo = with_square(0.5);
  const CoverPhoto whole = cover(photo, 300, 300, layer);
  CHECK(whole.image.width == 300);
  CHECK(whole.image.height == 100);
  CHECK_FALSE(whole.cropped);
  CHECK_FALSE(is_cropped(photo, 300, 300, layer));
  CHECK(is_cropped(photo, 300, 300, {}));
}

TEST_CASE("profiles, sixteen bits and CMYK come out as the same sRGB", "[photo]") {
  const Image image = two_halves(64, 64, {200, 60, 40}, {30, 120, 190});
  const auto close = [&](const std::string& what, VImage picture, const char* format,
                         int tolerance = 6) {
    std::size_t size = 0;
    void* data = nullptr;
    picture.write_to_buffer(format, &data, &size);
    const auto* bytes = static_cast<std::uint8_t*>(data);
    const Image found = decode(Bytes(bytes, bytes + size), what);
    g_free(data);
    INFO(what);
    REQUIRE(found.channels == 3);
    for (const std::size_t at : {std::size_t{10 * 3}, std::size_t{54 * 3}}) {
      const std::size_t pixel = 32 * image.stride() + at;
      for (std::size_t c = 0; c < 3; ++c) {
        CHECK(std::abs(found.pixels[pixel + c] - image.pixels[pixel + c]) <= tolerance);
      }
    }
  };
  const VImage srgb = borrow(image);
  const auto in_profile = [&](const char* profile, int depth) {
    return srgb.icc_transform(profile, VImage::option()
                                           ->set("input_profile", "srgb")
                                           ->set("depth", depth)
                                           ->set("intent", VIPS_INTENT_RELATIVE));
  };
  close("Display P3", in_profile("p3", 8), ".png");
  close("Display P3, 16 bit", in_profile("p3", 16), ".png");
  close("16 bit without a profile", srgb.colourspace(VIPS_INTERPRETATION_RGB16), ".png");
  close("CMYK", in_profile("cmyk", 8), ".jpg[Q=95]", 30);  // its inks reach no further
}

TEST_CASE("what draws the eye is whole in crops of every shape, at every resolution", "[photo]") {
  // A dark figure with a light head on the left, and a quiet line of hills.
  for (const int size : {300, 900, 2400}) {
    Image image = make_image(size * 3 / 2, size, 3);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const double u = static_cast<double>(x) / image.width;
        const double v = static_cast<double>(y) / image.height;
        std::uint8_t* pixel =
            image.pixels.data() + y * image.stride() + static_cast<std::size_t>(x) * 3;
        const bool head = std::hypot((u - 0.2) * 1.5, v - 0.3) < 0.07;
        const bool body = std::abs(u - 0.2) < 0.07 && v > 0.37 && v < 0.7;
        const bool hill = v > 0.75;
        const std::array<int, 3> colour = head   ? std::array{224, 172, 140}
                                          : body ? std::array{180, 40, 50}
                                          : hill ? std::array{90, 110, 90}
                                                 : std::array{170, 190, 210};
        for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(colour[c]);
      }
    }
    for (const auto& [width, height] :
         {std::pair(1200, 630), std::pair(1080, 1920), std::pair(1200, 1200)}) {
      const std::array<double, 2> at = salient_middle(borrow(image), width, height);
      const double across = std::min(1.0, static_cast<double>(width) / height / 1.5);
      const double down = std::min(1.0, 1.5 * height / width);
      INFO(size << " " << width << "x" << height);
      CHECK(at[0] - across / 2 < 0.14);
      CHECK(at[0] + across / 2 > 0.26);
      CHECK(at[1] - down / 2 < 0.24);
      CHECK(at[1] + down / 2 > 0.7);
    }
  }
}

}  // namespace affiche::cards::test
