// SPDX-License-Identifier: Apache-2.0
// A stand-in for c2patool, written here, keeps what it was asked and answers as the real one does:
// what matters is what it is asked, and that nothing goes out unsigned when it fails.
#include "service/content_credentials.h"

#include <array>

#include "base/error.h"
#include "cards/hero.h"
#include "catch.h"
#include "service/card_files.h"
#include "service/house.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::TemporaryFolder;

namespace {

// With the real tool's options: INPUT --ingredient --output FOLDER --force, and
// INPUT --manifest FILE --output FILE --force. A manifest store is a JUMBF box labelled c2pa.
constexpr const char* kTool = R"(#!/bin/sh
set -eu
here=$(dirname "$0")
input=$1; shift
ingredient=no; manifest=; output=
while [ $# -gt 0 ]; do case $1 in
  --ingredient) ingredient=yes;;
  --manifest) manifest=$2; shift;;
  --output) output=$2; shift;;
  --force) ;;
  *) echo "unexpected argument $1" >&2; exit 2;;
esac; shift; done
env > "$here/environment"
if [ $ingredient = yes ]; then
  mkdir -p "$output"
  printf '{"title":"x","format":"image/jpeg","instance_id":"xmp:iid:42"}' > "$output/ingredient.json"
  cp "$input" "$here/ingredient-input"
  exit 0
fi
cp "$manifest" "$here/manifest.json"
cat "$(dirname "$manifest")/photo/ingredient.json" > "$here/ingredient.json" 2>/dev/null || true
case $(cat "$here/mode") in
  good) { cat "$input"; printf 'jumbc2pa'; } > "$output";;
  silent) ;;
  plain) cp "$input" "$output";;
  other) { cat "$here/other.jpg"; printf 'jumbc2pa'; } > "$output";;
  failing) echo "Error: certificate has expired" >&2; exit 1;;
esac
)";

struct Signer {
  Signer() {
    write_atomically(folder / "c2patool", std::string_view(kTool));
    std::filesystem::permissions(folder / "c2patool", std::filesystem::perms::owner_all);
    write_atomically(folder / "certs.pem", std::string_view("certificate"));
    write_atomically(folder / "key.pem", std::string_view("key"));
    write_atomically(folder / "other.jpg", test::house_jpeg(1200, 630));
    settings.tool = folder / "c2patool";
    settings.certificate = folder / "certs.pem";
    settings.key = folder / "key.pem";
    settings.timestamp_url = "http://timestamp.example";
    act("good");
    Credit credit;
    credit.title = "Dune";
    credit.author = "A. Sand";
    credit.source = "Own archive";
    credit.source_url = "https://example.org/dune";
    credit.license = "CC-BY-4.0";
    credit.license_url = "https://creativecommons.org/licenses/by/4.0/";
    inputs.variables = {{"headline", "Tides"}};
    inputs.photo = Photo(test::house_jpeg(1700, 1000), credit);
  }
  void act(const std::string& mode) { write_atomically(folder / "mode", mode); }
  CardFile make(const std::string& size = "card") {
    Output output;
    output.size = size;
    return make_card_file(card.at_size("card"), brand, inputs, {output, "", "", settings});
  }
  Json manifest() const { return parse_json(read_text(folder / "manifest.json"), "manifest"); }
  std::vector<std::string> actions() const {
    std::vector<std::string> names;
    const Json made = manifest();
    for (const Json& one : made["assertions"][0]["data"]["actions"]) {
      names.push_back(one["action"].get<std::string>());
    }
    return names;
  }
  TemporaryFolder folder;
  SigningSettings settings;
  cards::Template card = cards::load_template(test::kSource / "templates/news.toml");
  cards::Brand brand = cards::load_brand(test::kSource / "brands/harbour.toml");
  cards::CardInputs inputs;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a card is signed with its photograph as ingredient and what was done to it") {
  Signer signer;
  const CardFile file = signer.make();
  const std::string text(file.bytes.begin(), file.bytes.end());
  CHECK(text.ends_with("jumbc2pa"));
  const Json manifest = signer.manifest();
  CHECK(manifest["alg"] == "es256");
  CHECK(manifest["private_key"] == (signer.folder / "key.pem").string());
  CHECK(manifest["sign_cert"] == (signer.folder / "certs.pem").string());
  CHECK(manifest["ta_url"] == "http://timestamp.example");
  CHECK(manifest["title"] == "Tides");
  CHECK(manifest["claim_generator_info"][0]["name"] == "affiche");
  CHECK(manifest["ingredient_paths"] == Json::array({"photo/ingredient.json"}));
  CHECK(manifest["assertions"][0]["label"] == "c2pa.actions");
  const Json& actions = manifest["assertions"][0]["data"]["actions"];
  CHECK(signer.actions().front() == "c2pa.created");
  CHECK(actions[0]["digitalSourceType"] ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/composite");
  CHECK(actions[1]["action"] == "c2pa.placed");
  CHECK(actions[1]["parameters"]["ingredientIds"] == Json::array({"xmp:iid:42"}));
  CHECK(signer.actions().back() == "c2pa.drawing");
  // Only what the definition may hold.
  const std::set<std::string> known = {
      "alg",        "private_key",          "sign_cert",       "ta_url", "title",
      "assertions", "claim_generator_info", "ingredient_paths"};
  for (const auto& [key, value] : manifest.items()) CHECK(known.contains(key));
  const Json ingredient = parse_json(read_text(signer.folder / "ingredient.json"), "ingredient");
  CHECK(ingredient["title"] == "Dune");
  CHECK(ingredient["relationship"] == "componentOf");
  // A label would hide the id that the actions name.
  CHECK(ingredient["instance_id"] == "xmp:iid:42");
  CHECK_FALSE(ingredient.contains("label"));
  CHECK(read_bytes(signer.folder / "ingredient-input") == signer.inputs.photo->encoded());
}

TEST_CASE("a plain hero is the photograph, opened and cropped") {
  Signer signer;
  signer.make(kHeroSize);
  CHECK(signer.actions() == std::vector<std::string>{"c2pa.opened", "c2pa.cropped"});
  const Json ingredient = parse_json(read_text(signer.folder / "ingredient.json"), "ingredient");
  CHECK(ingredient["relationship"] == "parentOf");
}

TEST_CASE("a card without a photograph has no ingredient") {
  Signer signer;
  signer.inputs.photo.reset();
  signer.make();
  CHECK_FALSE(signer.manifest().contains("ingredient_paths"));
  CHECK(signer.actions() == std::vector<std::string>{"c2pa.created", "c2pa.drawing"});
}

TEST_CASE("a signer that fails fails the card, and says why") {
  Signer signer;
  const std::vector<std::array<std::string, 2>> modes = {{"failing", "certificate has expired"},
                                                         {"silent", "wrote no file"},
                                                         {"plain", "without a manifest"},
                                                         {"other", "another picture"}};
  for (const auto& [mode, why] : modes) {
    CAPTURE(mode);
    signer.act(mode);
    try {
      signer.make();
      FAIL("a card came out");
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::Unavailable);
      CHECK(has(error.what(), why));
    }
  }
  signer.settings.tool = signer.folder / "nothing";
  CHECK_THROWS_AS(signer.make(), Error);
}

TEST_CASE("a signed file meets its budget") {
  Signer signer;
  Output output;
  output.size = "card";
  CardEncoding encoding{output, "", "", {}};
  const std::size_t usual =
      make_card_file(signer.card.at_size("card"), signer.brand, signer.inputs, encoding)
          .bytes.size();
  encoding.output.budget = usual + 4;  // less than the manifest takes
  encoding.signing = signer.settings;
  const CardFile file =
      make_card_file(signer.card.at_size("card"), signer.brand, signer.inputs, encoding);
  CHECK(file.bytes.size() <= encoding.output.budget);
  CHECK(std::string(file.bytes.begin(), file.bytes.end()).ends_with("jumbc2pa"));
}

TEST_CASE("without a signer nothing is signed, and the tool never gets half a key") {
  Signer signer;
  signer.settings = {};
  const CardFile file = signer.make();
  CHECK_FALSE(has(std::string(file.bytes.begin(), file.bytes.end()), "c2pa"));
  CHECK(has(ContentCredentials({}).status(), "off"));
  const auto message = [&](const std::string& keys) -> std::string {
    try {
      parse_config("[c2pa]\n" + keys, "config.toml", signer.folder.path());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(has(message("tool = \"c2patool\"\ncertificate = \"certs.pem\""), "key is missing"));
  CHECK(has(message("key = \"key.pem\""), "tool is missing"));
  CHECK(has(message("tool = \"c2patool\"\ncertificate = \"no.pem\"\nkey = \"key.pem\""),
            "no such file"));
  CHECK(has(message("algorithm = \"es265\""), "es256"));
  CHECK(message("tool = \"c2patool\"\ncertificate = \"certs.pem\"\nkey = \"key.pem\"").empty());
}

TEST_CASE("the signer sees none of the environment's secrets") {
  ::setenv("UNSPLASH_ACCESS_KEY", "secret-value", 1);
  Signer signer;
  signer.make();
  ::unsetenv("UNSPLASH_ACCESS_KEY");
  CHECK_FALSE(has(read_text(signer.folder / "environment"), "secret-value"));
}
