// SPDX-License-Identifier: Apache-2.0
#include "recipes/picture_text.h"

#include <zlib.h>

#include "cards/encode.h"
#include "catch.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::recipes;
using affiche::test::contains;
using affiche::test::thrown;

namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

Texts texts(const Bytes& bytes) {
  Texts found;
  for (const PictureText& text : read_picture_text(bytes, "a picture")) {
    found.emplace_back(text.keyword, text.text);
  }
  return found;
}

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

Bytes png(const std::vector<std::pair<std::string, Bytes>>& chunks) {
  Bytes out = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const auto number = [&](std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  };
  for (const auto& [type, data] : chunks) {
    number(data.size());
    Bytes body = bytes_of(type);
    body.insert(body.end(), data.begin(), data.end());
    out.insert(out.end(), body.begin(), body.end());
    number(crc32(0, body.data(), static_cast<uInt>(body.size())));
  }
  return out;
}

Bytes png_with(const std::string& type, const Bytes& data) {
  return png({{"IHDR", Bytes(13, 1)}, {type, data}, {"IEND", {}}});
}

Bytes deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  Bytes out(size);
  compress(out.data(), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
  out.resize(size);
  return out;
}

Bytes joined(std::string_view first, const Bytes& second) {
  Bytes out = bytes_of(first);
  out.insert(out.end(), second.begin(), second.end());
  return out;
}

}  // namespace

TEST_CASE("texts of each kind of chunk are read", "[picture]") {
  CHECK(texts(png_with("tEXt", bytes_of({"prompt\0{}", 9}))) == Texts{{"prompt", "{}"}});
  CHECK(texts(png_with("tEXt", bytes_of({"a\0gr\xf6\xdf", 6}))) == Texts{{"a", "größ"}});
  CHECK(texts(png_with("tEXt", bytes_of({"a\0gr\xc3\xb6", 6}))) == Texts{{"a", "grö"}});
  CHECK(texts(png_with("iTXt", bytes_of({"k\0\0\0de\0K\0größe", 16}))) == Texts{{"k", "größe"}});
  CHECK(texts(png_with("zTXt", joined({"z\0\0", 3}, deflated("packed")))) ==
        Texts{{"z", "packed"}});
  CHECK(texts(png_with("iTXt", joined({"i\0\1\0\0\0", 6}, deflated("größe")))) ==
        Texts{{"i", "größe"}});
}

TEST_CASE("what libvips writes is read in each format", "[picture]") {
  const Image image = make_image(16, 8, 3);
  cards::Metadata metadata;
  metadata.exif = exif_block("a größe 🎉\nSteps: 1", "affiche 1");
  metadata.xmp = "<x/>";
  metadata.png_text = {{"parameters", "größe"}, {"plain", "ascii"}};
  const auto write = [&](cards::Format format) {
    return texts(cards::encode(image, format, {}, metadata).bytes);
  };
  const Texts exif = {
      {"Software", "affiche 1"}, {"UserComment", "a größe 🎉\nSteps: 1"}, {"xmp", "<x/>"}};
  CHECK(write(cards::Format::Jpeg) == exif);
  CHECK(write(cards::Format::Webp) == exif);
  CHECK(write(cards::Format::Png) ==
        Texts{{"parameters", "größe"}, {"plain", "ascii"}, {"XML:com.adobe.xmp", "<x/>"}});
}

TEST_CASE("comments of other programs are read in their byte order and code", "[picture]") {
  const auto comment = [](std::string_view code, std::string_view text) {
    // II, one directory, one entry: UserComment behind it.
    const std::size_t size = code.size() + text.size();
    Bytes block = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x86, 0x92, 7, 0};
    block.insert(block.end(), {static_cast<std::uint8_t>(size), 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0});
    block.insert(block.end(), code.begin(), code.end());
    block.insert(block.end(), text.begin(), text.end());
    return read_exif(block, "x").at(0).text;
  };
  CHECK(comment({"ASCII\0\0\0", 8}, "abc") == "abc");
  CHECK(comment({"\0\0\0\0\0\0\0\0", 8}, "grö") == "grö");
  CHECK(comment({"UNICODE\0", 8}, {"a\0b\0", 4}) == "ab");
  CHECK(comment({"UNICODE\0", 8}, {"\0a\0b", 4}) == "ab");
  CHECK(comment({"UNICODE\0", 8}, {"\xff\xfe\x61\x26", 4}) == "♡"[0] + std::string("\x99\xa1"));
  CHECK(comment({"UNICODE\0", 8}, {"\0a\xd8\0\0b", 6}) ==
        "a\xef\xbf\xbd"
        "b");
}

TEST_CASE("damaged pictures are refused and say where", "[picture]") {
  const Bytes good = png_with("tEXt", bytes_of({"a\0b", 3}));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK(contains(thrown([&] { texts(cut); }), "bad_input: a picture"));
  }
  Bytes longer = good;
  longer[8 + 25] = 0xff;  // the length of the text chunk
  CHECK(contains(thrown([&] { texts(longer); }), "expected 4278190083 bytes"));
  Bytes changed = good;
  changed[8 + 25 + 8] ^= 1;
  CHECK(contains(thrown([&] { texts(changed); }), "checksum"));
  CHECK(contains(thrown([&] { texts(png_with("tEXt", bytes_of("no zero"))); }), "keyword"));
  CHECK(contains(thrown([&] { texts(png_with("iTXt", bytes_of({"k\0\0\0x", 5}))); }), "cut off"));
  CHECK(contains(thrown([&] { texts(png_with("zTXt", bytes_of({"k\0\0xx", 5}))); }), "damaged"));
}

TEST_CASE("a compressed text that grows without end is refused", "[picture]") {
  const Bytes bomb = deflated(std::string(40 << 20, 'a'));
  CHECK(contains(thrown([&] {
                   texts(png_with("zTXt", joined({"z\0\0", 3}, bomb)));
                 }),
                 "expected compressed text of at most"));
}

TEST_CASE("every cut of a JPEG and a WebP, and every changed byte, is refused or read",
          "[picture]") {
  cards::Metadata metadata{"<x/>", exif_block("abc", "affiche"), {}};
  const Image image = make_image(8, 8, 3);
  for (const cards::Format format : {cards::Format::Jpeg, cards::Format::Webp}) {
    const Bytes good = cards::encode(image, format, {}, metadata).bytes;
    const auto outcome = [](const Bytes& bytes) { return thrown([&] { texts(bytes); }); };
    for (std::size_t i = 0; i < std::min<std::size_t>(good.size(), 400); ++i) {
      Bytes cut = good;
      cut.resize(i);
      const std::string answer = outcome(cut);
      CHECK((answer.starts_with("bad_input") || answer == "nothing was thrown"));
      for (const int flip : {0x01, 0x80, 0xff}) {
        Bytes changed = good;
        changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
        const std::string other = outcome(changed);
        CHECK((other.starts_with("bad_input") || other == "nothing was thrown"));
      }
    }
  }
}
