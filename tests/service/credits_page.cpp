// SPDX-License-Identifier: Apache-2.0
// A credit says the same wherever it stands: on the card, on the page, in the file and beside it.
#include "service/credits_page.h"

#include <cstdio>
#include <memory>
#include <random>

#include "cards/compose.h"
#include "catch.h"
#include "photos/candidates.h"
#include "photos/plain_text.h"
#include "photos/ruling.h"
#include "service/card_files.h"
#include "service/press.h"
#include "service/take_down.h"

using namespace affiche;
using namespace affiche::service;

namespace {

const std::vector<std::string> kNames = {
    "Ana Example",
    "דוד כהן",
    "أحمد الصقر",
    "Zoë <b>Ångström</b> & Söhne",
    "प्रिया शर्मा",
    "Παύλος | *Pipe* [x](y)",
    "=SUM(A1) \"quoted\"",
    "</script><script>alert(1)</script> O'Neill",
    "evil\xe2\x80\xae gnp.exe {{headline}} %s \\u0000",
    "<rdf:li>]]></x:xmpmeta> &amp; &#x202e;",
    "Архив № 7",
    "María-José Carreño Quiñones de la Torre y Fernández del Valle Montenegro",
};
const std::vector<std::string> kSources = {"Wikimedia Commons", "ויקישיתוף", "Flickr", "Foo & Bar"};
const std::vector<std::pair<std::string, std::string>> kCodes = {{"commons", "cc-by-4.0"},
                                                                 {"commons", "cc0"},
                                                                 {"commons", "cc-by-sa-4.0"},
                                                                 {"commons", "cc-by-2.5"},
                                                                 {"flickr", "4"},
                                                                 {"flickr", "7"},
                                                                 {"flickr", "8"},
                                                                 {"flickr", "12"},
                                                                 {"nasa", ""},
                                                                 {"unsplash", "unsplash"},
                                                                 {"commons", "cc-by-3.0-de"}};

photos::Candidate a_record(std::mt19937& random, int number) {
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  const auto [provider, code] = pick(kCodes);
  photos::Candidate made = test::a_candidate(provider, code);
  made.title = pick(kNames) + " " + std::to_string(number);
  made.creator = pick(kNames);
  made.source = pick(kSources);
  made.landing_url = "https://photos.example/" + std::to_string(number) + "?a=1&b=2";
  return made;
}

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  return output;
}

bool has(const std::string& text, const std::string& part) {
  INFO(text << "\n has not: " << part);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

// The mark that keeps names in place is for the eye only.
std::string without_marks(std::string text) {
  for (std::size_t at; (at = text.find("\xe2\x80\x8e")) != std::string::npos;) text.erase(at, 3);
  return text;
}

std::string joined(const std::vector<std::string>& texts, const char* joint) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : joint) + text;
  return out;
}

void check_line(const std::string& line, const Credit& credit) {
  const std::string shown = without_marks(line);
  has(shown, credit.author);
  has(shown, credit.source);
  has(shown, license_label(credit.license));
  has(shown, joined(credit.changes, ", "));
  if (credit.license.starts_with("CC-BY-") && credit.license.find("4.0") == std::string::npos) {
    has(shown, credit.title);
  }
}

void check_page(const std::string& row, const Credit& credit) {
  const std::string shown = photos::read_html(row, "row").text;
  for (const std::string& part : {credit.title, credit.author, credit.source,
                                  license_label(credit.license), joined(credit.changes, ", ")}) {
    has(shown, part);
  }
  has(row, "href=\"" + credit.license_url + "\"");
}

void check_xmp(const Json& tags, const Credit& credit, const std::string& line) {
  CHECK(tags.at("Credit") == line);
  const Json& part = tags.at("ArtworkOrObject").at(0);
  CHECK(part.at("AOTitle") == credit.title);
  const Json& creator = part.at("AOCreator");
  CHECK((creator.is_array() ? creator.at(0) : creator) == credit.author);
  CHECK(part.at("AOSource") == credit.source);
  CHECK(part.at("AOSourceInvURL") == credit.source_url);
  const std::string notice = part.at("AOCopyrightNotice");
  has(notice, license_label(credit.license));
  has(notice, credit.license_url);
  const std::string rights = tags.at("Rights");
  has(rights, credit.author);
  has(rights, license_label(credit.license));
  // A share-alike photograph puts the whole card under its licence, and the file says so.
  const bool share_alike = credit.license.find("-SA-") != std::string::npos;
  CHECK((rights.find("this card is under the photo's licence") != std::string::npos) ==
        share_alike);
  CHECK((tags.contains("License") && tags.at("License") == credit.license_url) == share_alike);
  // Nobody claims what belongs to all.
  const photos::License license = photos::read_license(credit.license);
  if (license.public_domain || license.none_known) {
    CHECK(rights.find("photo ©") == std::string::npos);
  }
}

void check_json_ld(const Json& record, const Credit& credit, const std::string& line) {
  const Json& linked = record.at("json_ld");
  CHECK(linked.at("creditText") == line);
  const Json& part = linked.at("isBasedOn");
  CHECK(part.at("name") == credit.title);
  CHECK(part.at("creator").at("name") == credit.author);
  CHECK(part.at("publisher").at("name") == credit.source);
  CHECK(part.at("url") == credit.source_url);
  CHECK(part.at("license") == credit.license_url);
  const std::string text = part.at("creditText");
  has(without_marks(text), license_label(credit.license));
  has(without_marks(text), joined(credit.changes, ", "));
}

}  // namespace

TEST_CASE("every allowed record has one credit: on card, page, XMP and JSON-LD", "[credits]") {
  const test::Press press;
  photos::Policy policy;
  policy.allow_old_versions = policy.allow_sharealike = true;
  policy.also_allow = {"LicenseRef-Unsplash"};
  const auto card = cards::load_template(press.folder / "templates/plain.toml");
  const auto brand = cards::load_brand(press.folder / "brands/house.toml");
  const Bytes picture = test::press_jpeg(900, 400, 1);
  std::mt19937 random(20261121);
  Ledger ledger;
  for (int i = 0; i < 40; ++i) {
    const photos::Candidate record = a_record(random, i);
    const photos::Ruling ruling = photos::rule_on(record, policy, 2'000);
    REQUIRE(ruling.decision.allowed);
    cards::CardInputs inputs;
    inputs.variables = {{"headline", "Number " + std::to_string(i)}};
    inputs.photo = Photo(picture, photos::credit_of(record, ruling));
    const CardFile file = make_card_file(
        card, brand, inputs, {{}, "2026-11-21T14:20:53Z", "https://site.example", {}});
    REQUIRE(file.credit);
    CHECK_FALSE(file.credit->changes.empty());
    const std::string name = "card-" + std::to_string(100 + i) + ".jpg";
    write_atomically(press.folder / "cards" / name, file.bytes);
    const Json beside = Json::parse(file.credits_json);
    CHECK(beside.at("photo") == Json::parse(to_json(*file.credit)));
    check_json_ld(beside, *file.credit, file.credit_line);
    store::CreditEntry entry;
    entry.card_path = name;
    entry.credit = *file.credit;
    entry.line = file.credit_line;
    ledger.push_back(entry);
  }
  const Json tags = Json::parse(output_of("exiftool -q -j -struct -charset UTF8 -XMP:all '" +
                                          (press.folder / "cards").string() + "'"));
  REQUIRE(tags.size() == ledger.size());
  std::map<std::string, Json> by_name;
  for (const Json& one : tags) {
    by_name[std::filesystem::path(one.at("SourceFile").get<std::string>()).filename()] = one;
  }
  for (const store::CreditEntry& entry : ledger) {
    INFO(to_json(entry.credit));
    check_line(entry.line, entry.credit);
    check_page(credits_html({entry}), entry.credit);
    check_xmp(by_name.at(entry.card_path), entry.credit, entry.line);
    CHECK(Json::parse(credits_json({entry})).at(0).at("credit") ==
          Json::parse(to_json(entry.credit)));
  }
}

TEST_CASE("no cell of the page can break out of its place", "[credits]") {
  store::CreditEntry entry;
  entry.card_path = "a|b.jpg";
  entry.credit.title = "=1+1|<script>alert(1)</script>";
  entry.credit.author = "[x](javascript:alert(1))";
  entry.credit.author_url = "javascript:alert(1)";
  entry.credit.source = "S";
  entry.credit.source_url = "https://a.example/x_(y)|z";
  entry.credit.license = "CC-BY-SA-4.0";
  entry.credit.license_url = "https://creativecommons.org/licenses/by-sa/4.0/";
  entry.line = "line";
  const std::string html = credits_html({entry});
  CHECK(html.find("<script>") == std::string::npos);
  CHECK(html.find("href=\"javascript") == std::string::npos);
  const std::string markdown = credits_markdown({entry});
  CHECK(std::count(markdown.begin(), markdown.end(), '\n') == 3);
  CHECK(markdown.find("(javascript:alert(1))") != std::string::npos);  // as text: the bracket
  CHECK(markdown.find("\\[x\\]") != std::string::npos);                // before it is escaped
  CHECK(markdown.find("(https://a.example/x_%28y%29%7Cz)") != std::string::npos);
  const std::string csv = credits_csv({entry});
  CHECK(csv.find("\"'=1+1|<script>") != std::string::npos);
  CHECK(Json::parse(credits_json({entry})).at(0).at("card_license") == "CC-BY-SA-4.0");
}

TEST_CASE("a card tells neither place nor camera of its photograph", "[credits]") {
  const test::Press press;
  const std::filesystem::path photo = press.folder / "tracked.jpg";
  write_atomically(photo, test::press_jpeg(900, 400, 1));
  output_of(
      "exiftool -q -overwrite_original -GPSLatitude=52.5 -GPSLatitudeRef=N "
      "-GPSLongitude=13.4 -GPSLongitudeRef=E -SerialNumber=SN123456 "
      "-LensSerialNumber=LN987654 -XMP:SerialNumber=SN123456 -IPTC:City=Berlin '" +
      photo.string() + "'");
  const Bytes tracked = read_bytes(photo);
  const std::string before(tracked.begin(), tracked.end());
  REQUIRE(before.find("SN123456") != std::string::npos);
  cards::CardInputs inputs;
  inputs.variables = {{"headline", "Where"}};
  const photos::Candidate record = test::a_candidate("commons", "cc-by-4.0");
  inputs.photo = Photo(tracked, photos::credit_of(record, photos::rule_on(record, {}, 2'000)));
  const auto card = cards::load_template(press.folder / "templates/plain.toml");
  const auto brand = cards::load_brand(press.folder / "brands/house.toml");
  for (const cards::Format format :
       {cards::Format::Jpeg, cards::Format::Png, cards::Format::Webp}) {
    const CardFile file = make_card_file(card, brand, inputs, {{"", format}, "", "", {}});
    const std::filesystem::path out = press.folder / "card.bin";
    write_atomically(out, file.bytes);
    const std::string tags = output_of("exiftool -a -G1 -s '" + out.string() + "'");
    for (const char* secret : {"GPS", "SN123456", "LN987654", "Berlin", "Serial"}) {
      CAPTURE(secret);
      CHECK(tags.find(secret) == std::string::npos);
    }
  }
}
