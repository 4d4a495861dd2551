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
#include "cards/hero.h"
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

TEST_CASE("card line, XMP, credits.json and JSON-LD agree for any credit", "[metadata]") {
  const std::vector<std::string> names = {"Ana Example", "Zoë \"Zed\" O’Neill & <Sons>",
                                          "山田 太郎",   "ليلى حداد",
                                          "A",           std::string(60, 'x') + " / y"};
  const std::vector<std::pair<std::string, std::string>> licences = {
      {"CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"},
      {"CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"},
      {"CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/"}};
  int number = 0;
  for (const std::string& name : names) {
    for (const auto& [licence, url] : licences) {
      Composed card;
      card.hero = ++number % 2 == 0;
      card.image = make_image(8, 4, 3);
      Credit credit = good_credit();
      credit.author = name;
      credit.license = licence;
      credit.license_url = url;
      if (number % 3 == 0) credit.source_url.clear();
      if (number % 3 != 1) credit.changes = {"cropped"};
      card.credit = credit;
      card.credit_line = credit_line(credit);
      INFO(card.credit_line);
      const Xmp xmp(xmp_packet(card, facts()));
      const Json record = parse_json(credits_json(card, facts()), "credits.json");
      const Json& linked = record.at("json_ld");
      CHECK(xmp.get(NS_PHOTOSHOP, "Credit") == card.credit_line);
      CHECK(record.at("credit_line") == card.credit_line);
      CHECK(linked.at("creditText") == card.credit_line);
      CHECK(credit_from_json(record.at("photo").dump(), "credits.json") == credit);
      CHECK(xmp.get(NS_DC, "rights[1]") == record.at("rights"));
      CHECK(linked.at("copyrightNotice") == record.at("rights"));
      CHECK(xmp.get(NS_DC, card.hero ? "creator[1]" : "creator[2]") == name);
      CHECK(linked.at("creator").back().at("name") == name);
      CHECK(xmp.get(NS_XAP_RIGHTS, "WebStatement") == linked.at("license"));
      CHECK(xmp.get(kPlus, "Licensor[1]/plus:LicensorURL") == linked.at("acquireLicensePage"));
      CHECK(xmp.get(kExt, "DigitalSourceType") == record.at("digital_source_type"));
      const bool whole = card.hero || licence == "CC-BY-SA-4.0";
      CHECK(xmp.get("http://creativecommons.org/ns#", "license") == (whole ? url : ""));
    }
  }
}

TEST_CASE("a hero is the photo alone, under its own licence", "[metadata]") {
  const Composed hero = make_hero(photo(1500, 1000));
  CHECK(hero.image.width == 1600);
  CHECK(hero.image.height == 900);
  REQUIRE(hero.credit);
  CHECK(hero.credit->changes == std::vector<std::string>{"cropped"});
  const Xmp xmp(xmp_packet(hero, facts()));
  CHECK(xmp.get(NS_DC, "creator[1]") == "Ana Example");
  CHECK(xmp.get(NS_DC, "creator[2]").empty());
  CHECK(xmp.get(kExt, "DigitalSourceType") ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture");
  CHECK(xmp.get(NS_XAP_RIGHTS, "WebStatement") == "https://creativecommons.org/licenses/by/4.0/");
  CHECK(thrown([] { make_hero(photo(600, 400)); }).cause == Cause::BadInput);
}

TEST_CASE("what a photo's file says of its rights is kept, its places and serials are not",
          "[metadata]") {
  const Metadata own = {
      .xmp =
          "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
          "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
          "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
          "xmlns:e=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" "
          "e:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm\">"
          "<dc:rights><rdf:Alt><rdf:li xml:lang=\"x-default\">© 1999 Ana Example"
          "</rdf:li></rdf:Alt></dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>"};
  const Image field = two_halves(1600, 900, {250, 250, 250}, {30, 90, 40});
  const Photo photo(encode(field, Format::Jpeg, {}, own).bytes, good_credit());
  CardFacts made = facts();
  made.photo_rights = read_photo_rights(photo);
  CHECK(made.photo_rights.copyright == "© 1999 Ana Example");
  CHECK_FALSE(made.photo_rights.c2pa);
  const Xmp xmp(xmp_packet(make_hero(photo), made));
  CHECK(xmp.get(NS_DC, "rights[1]") == "© 1999 Ana Example, CC BY 4.0");
  CHECK(xmp.get(kExt, "DigitalSourceType") ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm");
  const Photo bare(encode(field, Format::Jpeg, {}, {.xmp = "no packet"}).bytes, good_credit());
  CHECK(read_photo_rights(bare).copyright.empty());
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
  for (const char* name : {"card.jpg", "card.png", "card.webp", "card.avif"}) {
    const auto path = folder / name;
    write_atomically(path, encode(card.image, format_for(path), {}, {.xmp = xmp}).bytes);
    const std::string said = output_of(
        "exiftool -warning -XMP-photoshop:Credit -DigitalSourceType -XMP-plus:LicensorURL "
        "-XMP-xmpRights:WebStatement -XMP-dc:Creator -XMP-dc:Rights '" +
        path.string() + "'");
    INFO(name << ": " << said);
    CHECK(said.find(card.credit_line) != std::string::npos);
    CHECK(said.find("compositeSynthetic") != std::string::npos);
    // What Google reads: creator, notice, licensor and the page with the terms.
    CHECK(said.find("Northlight Review, Ana Example") != std::string::npos);
    CHECK(said.find("photo © Ana Example, CC BY 4.0") != std::string::npos);
    CHECK(said.find("https://photos.example/two-fields") != std::string::npos);
    CHECK(said.find("https://site.example/credits/1") != std::string::npos);
    CHECK(said.find("Warning") == std::string::npos);
    // Nothing of the photo's own EXIF, such as places or serial numbers.
    // libvips gives an AVIF a little EXIF of its own: sizes.
    const bool avif = path.extension() == ".avif";
    CHECK(output_of("exiftool -GPS:all -MakerNotes:all -SerialNumber -Artist " +
                    std::string(avif ? "" : "-EXIF:all ") + "'" + path.string() + "'")
              .empty());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace affiche::cards::test
