// SPDX-License-Identifier: Apache-2.0
// What comes from outside has its limits, and a card that fails leaves nothing behind.
#include <fstream>

#include "base/files.h"
#include "cards/fixtures.h"
#include "cards/fonts.h"
#include "cards/svg.h"
#include "catch.h"
#include "store/temporary_folder.h"

namespace affiche::cards::test {
namespace {

using affiche::test::TemporaryFolder;

const std::string kCanvas = "[canvas]\nwidth = 400\nheight = 300\n";

std::string refusal(const std::string& text) {
  const Thrown error = thrown([&] { parse_template(text, "test.toml", kRoot); });
  CHECK(error.cause == Cause::BadInput);
  return error.message;
}

// A card that is nothing but a photograph and its credit.
Composed of_photo(const Bytes& bytes, const std::shared_ptr<PreparedParts>& kept) {
  const std::string text =
      "[canvas]\nwidth = 600\nheight = 400\n[[layers]]\nkind = \"photo\"\n[[layers]]\nkind = "
      "\"credit\"\nbox = [20, 300, 560, 80]\nfont = \"body\"\nsize = 20\nlines = 3\ncolour = "
      "\"#FFFFFF\"\n";
  CardInputs inputs;
  inputs.photo = Photo(bytes, good_credit());
  inputs.kept = kept;
  return compose(parse_template(text, "photo.toml", kRoot), demo(), inputs);
}

void put(Bytes& bytes, std::size_t at, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

}  // namespace

TEST_CASE("templates have at most 100 layers, 24 further sizes and 4096 pixels a side",
          "[limits]") {
  std::string layers;
  for (int i = 0; i < 101; ++i) {
    layers += concat("[[layers]]\nkind = \"solid\"\nname = \"l", i, "\"\ncolour = \"#000000\"\n");
  }
  CHECK(contains(refusal(kCanvas + layers), "100 layers"));
  std::string sizes;
  for (int i = 0; i < 25; ++i) sizes += concat("[sizes.s", i, "]\nwidth = 400\nheight = 300\n");
  const std::string one = "[[layers]]\nkind = \"solid\"\ncolour = \"#000000\"\n";
  CHECK(contains(refusal(kCanvas + sizes + one), "24 sizes"));
  CHECK(contains(refusal("[canvas]\nwidth = 4097\nheight = 300\n" + one), "4096"));
  CHECK(contains(refusal("[canvas]\nwidth = 63\nheight = 300\n" + one), "64"));
}

TEST_CASE("files of templates and brands have at most 4 MiB", "[limits]") {
  const TemporaryFolder folder;
  write_atomically(folder / "large.toml", std::string((std::size_t{4} << 20) + 1, '#'));
  CHECK_THROWS_AS(load_template(folder / "large.toml"), Error);
  CHECK_THROWS_AS(load_brand(folder / "large.toml"), Error);
}

TEST_CASE("an SVG has at most 1 MiB, 5000 elements and 64 levels", "[limits]") {
  const auto svg = [](const std::string& inside) {
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\">" + inside + "</svg>";
  };
  const auto message = [](const std::string& text) {
    const Thrown error = thrown([&] { check_svg(text, "x.svg"); });
    CHECK(error.cause == Cause::BadInput);
    return error.message;
  };
  CHECK(contains(message(svg(std::string((1 << 20) + 1, ' '))), "at most"));
  std::string many;
  for (int i = 0; i < 5001; ++i) many += "<g/>";
  CHECK(contains(message(svg(many)), "5000 elements"));
  std::string deep;
  for (int i = 0; i < 70; ++i) deep.insert(0, "<g>").append("</g>");
  CHECK(contains(message(svg(deep)), "64 levels"));
  // Entities that multiply are refused as entities, before they are opened.
  CHECK_FALSE(
      message("<!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>" + svg("&b;"))
          .empty());
}

TEST_CASE("what is called a font and is none is named", "[limits]") {
  const TemporaryFolder folder;
  write_atomically(folder / "fonts/Brand.ttf", std::string_view("<html>404</html>"));
  const Thrown error = thrown([&] { check_fonts(folder / "fonts"); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "Brand.ttf"));
  CHECK(contains(error.message, "expected a font"));
  write_atomically(folder / "fonts/Brand.ttf", std::string_view(""));
  CHECK_THROWS_AS(check_fonts(folder / "fonts"), Error);
  std::filesystem::remove(folder / "fonts/Brand.ttf");
  write_atomically(folder / "fonts/readme.txt", std::string_view("no font"));
  CHECK_NOTHROW(check_fonts(folder / "fonts"));
}

TEST_CASE("a broken or a huge photograph fails its card, and nothing of it is kept", "[limits]") {
  const auto kept = std::make_shared<PreparedParts>();
  const Bytes good = photo(900, 600).encoded();
  Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2));
  Bytes huge = encode_png(two_halves(20, 10, {0, 0, 0}, {255, 255, 255}));
  put(huge, 16, 30'000);  // IHDR: width and height
  put(huge, 20, 30'000);
  const Bytes other = {'G', 'I', 'F', '8', '9', 'a', 0, 0, 0, 0};
  for (const Bytes& bytes : {cut, huge, other}) {
    for (int i = 0; i < 2; ++i) {  // it fails again: no answer was kept
      const std::size_t before = kept->bytes();
      CHECK(thrown([&] { of_photo(bytes, kept); }).cause == Cause::BadInput);
      CHECK(kept->bytes() == before);
    }
  }
  CHECK_NOTHROW(of_photo(good, kept));
  CHECK(kept->bytes() > 0);
}

TEST_CASE("values longer than their variable are refused with both lengths", "[limits]") {
  CardInputs inputs = article_inputs(std::string(5000, 'x'));
  const Thrown error = thrown([&] { compose(article(), demo(), inputs); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "5000 characters"));
}

}  // namespace affiche::cards::test
