// SPDX-License-Identifier: Apache-2.0
#include "cards/svg.h"

#include "base/error.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

std::string svg(const std::string& inside) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\">" + inside + "</svg>";
}

}  // namespace

TEST_CASE("an SVG with anything that acts or reaches outside is refused", "[svg]") {
  const std::vector<std::string> hostile = {
      svg("<script>alert(1)</script>"),
      svg("<rect onload=\"x()\" width=\"1\" height=\"1\"/>"),
      svg("<image href=\"file:///etc/passwd\"/>"),
      svg("<use href=\"https://evil.example/a.svg#x\"/>"),
      svg("<use xlink:href=\"other.svg#x\"/>"),
      svg("<rect fill=\"url(https://evil.example/p)\"/>"),
      svg("<rect style=\"fill: URL( 'http://evil.example' )\"/>"),
      svg("<style>@import url(x.css)</style>"),
      svg("<foreignObject/>"),
      svg("<text>words</text>"),
      svg("<animate attributeName=\"x\"/>"),
      "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + svg("&x;"),
      "<?xml-stylesheet href=\"x.css\"?>" + svg(""),
      svg("&unknown;"),
      svg("<g>"),
      "<html></html>",
  };
  for (const std::string& text : hostile) {
    INFO(text);
    CHECK(thrown([&] { check_svg(text, "x.svg"); }).cause == Cause::BadInput);
  }
}

TEST_CASE("shapes, gradients and inner references are fine", "[svg]") {
  const std::string good =
      "<?xml version=\"1.0\"?><!-- a mark -->" +
      svg("<defs><linearGradient id=\"g\"><stop offset=\"0\" stop-color=\"{{brand.teal}}\"/>"
          "</linearGradient></defs><rect fill=\"url(#g)\" width=\"5\" height=\"5\"/>");
  REQUIRE_NOTHROW(check_svg(good, "x.svg"));
  const std::string drawn = recolour(
      good,
      [](const std::string&) {
        return Colour{15, 163, 177};
      },
      "x.svg");
  CHECK(contains(drawn, "\"#0fa3b1\""));
  CHECK(svg_aspect(drawn, "x.svg") == 1);
}

TEST_CASE("the shipped drawings pass", "[svg]") {
  for (const char* folder : {"assets/chrome", "assets/logos"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kRoot / folder)) {
      INFO(entry.path());
      CHECK_NOTHROW(check_svg(read_text(entry.path()), entry.path().string()));
    }
  }
}

}  // namespace affiche::cards::test
