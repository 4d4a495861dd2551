// SPDX-License-Identifier: Apache-2.0
#include "photos/sidecar.h"

#include "base/files.h"
#include "catch.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using test::contains;
using test::thrown;

namespace {

std::string error_of(const std::string& toml) {
  return thrown([&] { parse_sidecar_toml(toml, "a.jpg.toml"); });
}

const std::string kMinimal = "title = \"Dune\"\nauthor = \"Marco\"\nlicense = \"cc by 4.0\"\n";

}  // namespace

TEST_CASE("the licence comes out in its normal form with its URL", "[sidecar]") {
  const Sidecar sidecar = parse_sidecar_toml(kMinimal, "a");
  REQUIRE(sidecar.credit.license == "CC-BY-4.0");
  REQUIRE(sidecar.credit.license_url == "https://creativecommons.org/licenses/by/4.0/");
}

TEST_CASE("TOML and JSON say the same", "[sidecar]") {
  const Sidecar toml = parse_sidecar_toml(
      kMinimal +
          "author_url = \"https://m.example\"\nsource = \"S\"\n"
          "source_url = \"https://s.example/1\"\nkeywords = [\"sea\"]\nchanges = [\"graded\"]\n",
      "a");
  const Sidecar json = parse_sidecar_json(
      R"({"title": "Dune", "author": "Marco", "license": "CC-BY-4.0", "source": "S",
          "author_url": "https://m.example", "source_url": "https://s.example/1",
          "keywords": ["sea"], "changes": ["graded"]})",
      "a");
  REQUIRE(toml.credit == json.credit);
  REQUIRE(toml.keywords == json.keywords);
  REQUIRE(json.keywords == std::vector<std::string>{"sea"});
}

TEST_CASE("a sidecar that leaves something open is refused", "[sidecar]") {
  REQUIRE(contains(error_of("title = \"x\"\nauthor = \"y\"\n"), "no licence is given"));
  REQUIRE(contains(error_of("title = \"x\"\nlicense = \"CC0-1.0\"\n"), "no author"));
  REQUIRE(contains(error_of("author = \"x\"\nlicense = \"CC0-1.0\"\n"), "no title"));
  REQUIRE(contains(error_of("title = \"x\"\nauthor = \"y\"\nlicense = \"GPL-2.0-or-later\"\n"),
                   "or add license_url"));
}

TEST_CASE("two licences in one sidecar are refused", "[sidecar]") {
  const std::string text =
      error_of(kMinimal + "license_url = \"https://creativecommons.org/licenses/by-nc/4.0/\"\n");
  REQUIRE(contains(text, "refused: "));
  REQUIRE(contains(text, "license says CC-BY-4.0 but license_url is that of CC-BY-NC-4.0"));
}

TEST_CASE("a mistyped key is an error that suggests the right one", "[sidecar]") {
  REQUIRE(contains(error_of(kMinimal + "licence_url = \"x\"\n"),
                   "a.jpg.toml:4:15: licence_url: unknown key (did you mean 'license_url'?)"));
}

TEST_CASE("text that could hide or forge is refused", "[sidecar]") {
  REQUIRE(contains(error_of(kMinimal + "source = \"a\\u202Eb\"\n"), "direction overrides"));
  REQUIRE(contains(error_of(kMinimal + "source = \"a\\u2066b\"\n"), "direction overrides"));
  REQUIRE(contains(error_of(kMinimal + "source = \"a\\nb\"\n"), "control characters"));
  REQUIRE(contains(error_of(kMinimal + "source = \"" + std::string(501, 'x') + "\"\n"),
                   "at most 500 bytes"));
  REQUIRE(contains(error_of(kMinimal + "author_url = \"javascript:alert(1)\"\n"), "https://"));
  REQUIRE(contains(error_of(kMinimal + "source_url = \"https://a/\\\"><script>\"\n"), "https://"));
}

TEST_CASE("the sidecar is found by either name, and two are an error", "[sidecar]") {
  const test::TemporaryFolder folder;
  const auto picture = folder / "a.jpg";
  REQUIRE_FALSE(find_sidecar(picture));
  write_atomically(folder / "a.json", std::string_view("{}"));
  REQUIRE(find_sidecar(picture) == folder / "a.json");
  write_atomically(folder / "a.jpg.toml", std::string_view(""));
  REQUIRE(contains(thrown([&] { find_sidecar(picture); }), "expected one sidecar"));
}
