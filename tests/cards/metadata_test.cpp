// SPDX-License-Identifier: Apache-2.0
#include "cards/metadata.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

CardFacts facts() {
  CardFacts made;
  made.title = "Two fields & a <hedge>";
  made.publisher = "Northlight Review";
  made.page_url = "https://site.example/credits/1";
  made.created = "2026-11-21T14:20:53Z";
  made.language = "en";
  made.software = "affiche 0.1.0";
  return made;
}

class Xmp {
 public:
  explicit Xmp(const std::string& packet) : xmp_(xmp_new(packet.data(), packet.size()), &xmp_free) {
    REQUIRE(xmp_ != nullptr);
  }
  std::string get(const char* schema, const char* name) const {
    const std::unique_ptr<_XmpString, decltype(&xmp_string_free)> value(xmp_string_new(),
                                                                        &xmp_string_free);
    if (!xmp_get_property(xmp_.get(), schema, name, value.get(), nullptr)) return "";
    return xmp_string_cstr(value.get());
  }

 private:
  std::unique_ptr<_Xmp, decltype(&xmp_free)> xmp_;
};

constexpr const char* kExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr const char* kPlus = "http://ns.useplus.org/ldf/xmp/1.0/";

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::array<char, 512> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  return output;
}

}  // namespace

TEST_CASE("the credit and the origin survive in XMP", "[metadata]") {
  const Composed card = compose(article(), demo(), article_inputs("Two fields"));
  const Xmp xmp(xmp_packet(card, facts()));
  CHECK(xmp.get(NS_PHOTOSHOP, "Credit") == card.credit_line);
  CHECK(xmp.get(NS_PHOTOSHOP, "Source") == "Example Commons");
  CHECK(xmp.get(NS_DC, "creator[1]") == "Northlight Review");
  CHECK(xmp.get(NS_DC, "creator[2]") == "Ana Example");
  CHECK(xmp.get(NS_DC, "title[1]") == "Two fields & a <hedge>");
  CHECK(xmp.get(NS_DC, "rights[1]") ==
        "Card © 2026 Northlight Review; photo © Ana Example, CC BY 4.0");
  CHECK(xmp.get(NS_XAP_RIGHTS, "WebStatement") == "https://site.example/credits/1");
  CHECK(xmp.get(kPlus, "Licensor[1]/plus:LicensorURL") == "https://photos.example/two-fields");
  CHECK(xmp.get(kExt, "ArtworkOrObject[1]/Iptc4xmpExt:AOSource") == "Example Commons");
  CHECK(xmp.get(kExt, "ArtworkOrObject[1]/Iptc4xmpExt:AOCreator[1]") == "Ana Example");
  CHECK(xmp.get(kExt, "DigitalSourceType") ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic");
  CHECK(xmp.get(kExt, "AISystemUsed") == "affiche-mini");
}

TEST_CASE("a card without a picture of the model is a plain composite", "[metadata]") {
  CardInputs inputs = article_inputs("Two fields");
  inputs.generated.clear();
  inputs.generated.emplace("background", generated("drawn"));
  inputs.generated.emplace("chrome", generated("drawn"));
  const Composed card = compose(article(), demo(), inputs);
  const Xmp xmp(xmp_packet(card, facts()));
  CHECK(xmp.get(kExt, "DigitalSourceType") ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/composite");
  CHECK(xmp.get(kExt, "AISystemUsed").empty());
}

TEST_CASE("credits.json, XMP and the card agree", "[metadata]") {
  const Composed card = compose(article(), demo(), article_inputs("Two fields"));
  const Json json = parse_json(credits_json(card, facts()), "credits.json");
  CHECK(json.at("credit_line") == credit_line(*card.credit));
  CHECK(credit_from_json(json.at("photo").dump(), "credits.json") == *card.credit);
  CHECK(recipe_from_json(json.at("generated").at("background").dump(), "credits.json") ==
        card.recipes.at("background"));
}

TEST_CASE("exiftool reads the credit from every format", "[metadata]") {
  if (output_of("exiftool -ver 2>/dev/null").empty()) {
    WARN("skipped: exiftool is not installed (Debian: libimage-exiftool-perl)");
    return;
  }
  const Composed card = compose(article(), demo(), article_inputs("Two fields"));
  const std::string xmp = xmp_packet(card, facts());
  const auto folder =
      std::filesystem::temp_directory_path() / ("affiche-metadata-" + std::to_string(getpid()));
  for (const char* name : {"card.jpg", "card.png", "card.webp"}) {
    const auto path = folder / name;
    write_atomically(path, encode(card.image, format_for(path), {}, {.xmp = xmp}).bytes);
    const std::string said = output_of(
        "exiftool -warning -XMP-photoshop:Credit -DigitalSourceType '" + path.string() + "'");
    INFO(name << ": " << said);
    CHECK(said.find(card.credit_line) != std::string::npos);
    CHECK(said.find("compositeSynthetic") != std::string::npos);
    CHECK(said.find("Warning") == std::string::npos);
    // Nothing of the photo's own EXIF, such as places or serial numbers.
    CHECK(output_of("exiftool -GPS:all -MakerNotes:all -EXIF:all '" + path.string() + "'").empty());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace affiche::cards::test
