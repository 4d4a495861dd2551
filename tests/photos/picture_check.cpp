// SPDX-License-Identifier: Apache-2.0
// Pictures made to hurt whoever decodes them. None of them reaches a decoder.
#include "photos/picture_check.h"

#include <string>

#include "catch.h"
#include "net/server.h"
#include "photos/pictures.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::thrown;

namespace {

std::string big32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string little32(std::uint32_t value) {
  const std::string big = big32(value);
  return {big.rbegin(), big.rend()};
}

// Checksums are the decoder's to find wrong: they bound nothing.
std::string chunk(const std::string& type, const std::string& data) {
  return big32(static_cast<std::uint32_t>(data.size())) + type + data + "CRC!";
}

std::string png(std::uint32_t width, std::uint32_t height, const std::string& more = "") {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big32(width) + big32(height) + std::string("\x08\x02\0\0\0", 5)) + more +
         chunk("IDAT", "data") + chunk("IEND", "");
}

std::string segment(char marker, const std::string& data) {
  const auto size = static_cast<std::uint16_t>(data.size() + 2);
  return std::string("\xff") + marker + static_cast<char>(size >> 8) + static_cast<char>(size) +
         data;
}

const std::string kSoi = "\xff\xd8", kEoi = "\xff\xd9";

std::string frame(std::uint16_t width, std::uint16_t height, char marker = '\xc2') {
  const auto high = [](std::uint16_t value) { return static_cast<char>(value >> 8); };
  const auto low = [](std::uint16_t value) { return static_cast<char>(value); };
  return segment(marker, std::string("\x08") + high(height) + low(height) + high(width) +
                             low(width) + std::string("\x01\x01\x11\0", 4));
}

std::string scan(const std::string& data = "entropy") {
  return segment('\xda', std::string("\x01\x01\0\0\x3f\0", 6)) + data;
}

std::string jpeg(const std::string& scans = scan()) {
  return kSoi + frame(64, 48) + scans + kEoi;
}

std::string webp(const std::string& chunks) {
  return "RIFF" + little32(static_cast<std::uint32_t>(chunks.size() + 4)) + "WEBP" + chunks;
}

std::string webp_chunk(const std::string& type, std::string data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  if (data.size() % 2 == 1) data += '\0';
  return type + little32(size) + data;
}

const std::string kStill = webp_chunk("VP8X", std::string("\0\0\0\0\x3f\0\0\x2f\0\0", 10)) +
                           webp_chunk("VP8 ", "data of it");

std::string complaint(const std::string& bytes, PictureLimits limits = {}) {
  return thrown([&] {
    check_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "it",
                  limits);
  });
}

const std::string kFine = "nothing was thrown";

}  // namespace

TEST_CASE("sound pictures pass", "[picture_check]") {
  CHECK(complaint(png(64, 48)) == kFine);
  CHECK(complaint(jpeg()) == kFine);
  CHECK(complaint(webp(kStill)) == kFine);
  CHECK(complaint(jpeg(scan("a\xff\xd0"
                            "b\xff" +
                            std::string(1, '\0') + "c"))) == kFine);
  // What cameras write behind a picture: padding, a preview, a film.
  CHECK(complaint(jpeg() + std::string(100, '\0')) == kFine);
  CHECK(complaint(jpeg() + jpeg()) == kFine);
  CHECK(complaint(jpeg() + big32(24) + "ftypmp42 film") == kFine);
}

TEST_CASE("pixel floods are refused by their header", "[picture_check][bomb]") {
  for (const std::string& bytes :
       {png(50'000, 50'000), png(1, 100'000), png(30'000, 30'000), png(0x3fffffff, 0x3fffffff),
        kSoi + frame(65'500, 65'500) + scan() + kEoi,
        webp(webp_chunk("VP8X", std::string("\0\0\0\0\xff\xff\x0f\xff\xff\x0f", 10)) +
             webp_chunk("VP8 ", "data"))}) {
    CHECK(contains(complaint(bytes), "refused: it: expected at most 100000000 pixels"));
  }
}

TEST_CASE("animations are refused, of a hundred thousand frames as of one",
          "[picture_check][bomb]") {
  std::string frames;
  for (int i = 0; i < 100'000; ++i) frames += webp_chunk("ANMF", std::string(24, '\0'));
  CHECK(contains(
      complaint(webp(webp_chunk("VP8X", std::string("\2\0\0\0\x3f\0\0\x2f\0\0", 10)) + frames)),
      "animated WebP"));
  std::string chunks = chunk("acTL", big32(100'000) + big32(0));
  for (int i = 0; i < 100'000; ++i) chunks += chunk("fdAT", "\0\0\0\1x");
  CHECK(contains(complaint(png(64, 48, chunks)), "animated PNG"));
  std::string gif = "GIF89a" + std::string("\x40\0\x30\0\0\0\0", 7);
  for (int i = 0; i < 100'000; ++i)
    gif += std::string("\x2c\0\0\0\0\x01\0\x01\0\0\x02\x01\x44\0", 14);
  CHECK(contains(complaint(gif + ";"), "bad_input: it: "));
}

TEST_CASE("a progressive picture of hundreds of scans is refused", "[picture_check][bomb]") {
  std::string scans;
  for (int i = 0; i < 1'000; ++i) scans += scan("");
  CHECK(contains(complaint(jpeg(scans)), "refused: it: expected at most 64 scans"));
}

TEST_CASE("pictures that end early are refused at every byte", "[picture_check][bomb]") {
  for (const std::string& whole : {png(64, 48), jpeg(), webp(kStill)}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      INFO(length << " of " << whole.size());
      CHECK(complaint(whole.substr(0, length)).starts_with("bad_input: it: "));
    }
  }
}

TEST_CASE("polyglots are refused", "[picture_check][bomb]") {
  for (const std::string& tail :
       {std::string("PK\3\4 an archive"), std::string("%PDF-1.7"),
        std::string("<script>x</script>"), std::string("#!/bin/sh\n"),
        std::string("\x7f"
                    "ELF"),
        std::string("GIF89a"), std::string(10, '\0') + "Rar!", std::string("MZ")}) {
    INFO(tail);
    for (const std::string& whole : {png(64, 48), jpeg(), webp(kStill)}) {
      CHECK(contains(complaint(whole + tail), "other data after the end of the picture"));
    }
  }
}

TEST_CASE("what is no picture is refused, whatever it is called", "[picture_check][bomb]") {
  for (const std::string& bytes :
       {std::string(), std::string("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        std::string("<!DOCTYPE html><html>"), std::string("%PDF-1.7"),
        std::string("GIF89a\1\0\1\0"), std::string("BM\x46\0\0\0"),
        std::string("II*\0\x08\0\0\0", 8), std::string("8BPS\0\1", 6),
        std::string("\0\0\0\x0cjP  \r\n\x87\n", 12),
        std::string("\0\0\0\x20"
                    "ftypavif",
                    12),
        std::string("P6 99999 99999 255\n"), std::string("push graphic-context\nviewbox 0 0 1 1"),
        std::string("\x1f\x8b\x08\0"), std::string("RIFF\xff\xff\xff\xffWAVE"),
        test::noise(5'000)}) {
    CHECK(complaint(bytes).starts_with("bad_input: it: "));
  }
}

TEST_CASE("no change of a byte makes the check fail in another way", "[picture_check][bomb]") {
  unsigned state = 1;
  const auto next = [&] { return (state = state * 1664525U + 1013904223U) >> 8; };
  for (const std::string& whole : {png(64, 48), jpeg(scan() + scan()), webp(kStill)}) {
    for (int round = 0; round < 20'000; ++round) {
      std::string changed = whole;
      for (unsigned i = next() % 4; i-- > 0;) {
        changed[next() % changed.size()] = static_cast<char>(next());
      }
      const std::string said = complaint(changed);
      if (said == kFine) continue;
      REQUIRE((said.starts_with("bad_input: it: ") || said.starts_with("refused: it: ")));
    }
  }
}
