// SPDX-License-Identifier: Apache-2.0
// The real stages on real engines: a tiny model with random weights, a LoRA, a JPEG, the article
// template. Only the model is smaller than in production.
#include "service/card_maker.h"

#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cards/encode.h"
#include "catch.h"
#include "service/backgrounds.h"
#include "service/house.h"
#include "service/names.h"
#include "service/photo_library.h"
#include "service/worker.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::House;
using affiche::test::kSource;

TEST_CASE("a job becomes a card with its photograph's credit on it, in it and beside it") {
  House house;
  const std::int64_t id = house.add("Where the desert keeps its water", "\"desert\"");
  REQUIRE(house.drain().done == 1);

  const store::Job job = *house.store.job(id);
  REQUIRE(job.outputs.size() == 1);
  const std::filesystem::path card = job.outputs[0];
  CHECK(card.filename().string().rfind("where-the-desert-keeps-its-water-", 0) == 0);
  const Bytes bytes = read_bytes(card);
  const Image image = cards::decode(bytes, "card");
  CHECK(image.width == 1200);
  CHECK(image.height == 630);

  const std::string text(bytes.begin(), bytes.end());
  CHECK(text.find("A. Sand") != std::string::npos);  // in the XMP
  CHECK(text.find("compositeSynthetic") != std::string::npos);
  std::filesystem::path beside = card;
  const std::string credits = read_text(beside.replace_extension(".credits.json"));
  CHECK(credits.find("A. Sand") != std::string::npos);

  const std::vector<store::CreditEntry> ledger = house.store.credits();
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].card_sha256 == sha256_hex(bytes));
  CHECK(ledger[0].line.find("A. Sand") != std::string::npos);
  CHECK(ledger[0].line.find("CC BY 4.0") != std::string::npos);
  CHECK(ledger[0].job_id == id);
}

TEST_CASE("without a photograph the template's own variant is made and the reason is kept") {
  House house;
  const std::int64_t id = house.add("Nothing to see", "\"submarine\"");
  REQUIRE(house.drain().done == 1);
  const auto stages = house.store.stages(id);
  const Json detail = Json::parse(stages.at("photo").detail);
  CHECK(detail.at("photo").is_null());
  CHECK(detail.at("reason").get<std::string>().find("submarine") != std::string::npos);
  CHECK(house.store.credits().empty());
}

TEST_CASE("a generated picture is made once for all cards of its variation") {
  House house;
  for (int i = 0; i < 6; ++i) house.add("Headline number " + std::to_string(i), "\"desert\"");
  REQUIRE(house.drain().done == 6);
  int made = 0;
  for (const store::Job& job : house.store.jobs()) {
    const auto stages = house.store.stages(job.id);
    const Json detail = Json::parse(stages.at("background").detail);
    for (const auto& [source, picture] : detail.at("pictures").items()) {
      made += picture.at("cached").get<bool>() ? 0 : 1;
    }
  }
  CHECK(made <= 4);  // two variations of two pictures
  CHECK(made >= 2);
}

TEST_CASE("a LoRA file that was replaced under its name paints anew, in a running process too") {
  House house;
  const std::filesystem::path loras = kSource / "tests/data/goldens/lora";
  cards::Brand brand = cards::load_brand(house.folder / "tiny.toml");
  brand.voice.loras[0].file = house.folder / "look.safetensors";
  const auto replace_by = [&](const std::string& name) {
    write_atomically(brand.voice.loras[0].file, read_bytes(loras / name, 1 << 24));
  };
  Backgrounds running(house.store, house.artifacts, house.config);
  replace_by("sd15_kohya.safetensors");
  const std::string before = running.make(brand, "background", 0, {}).artifact;
  replace_by("sd15_kohya_second.safetensors");
  const Backgrounds::Made after = running.make(brand, "background", 0, {});
  CHECK(after.artifact != before);

  house.store.remove_generated(after.recipe_sha256);
  Backgrounds fresh(house.store, house.artifacts, house.config);
  const Backgrounds::Made again = fresh.make(brand, "background", 0, {});
  CHECK(!again.cached);
  CHECK(again.artifact == after.artifact);
}

TEST_CASE("a brand's LoRAs are stacked, and one of another prompt is left out") {
  House house;
  const std::filesystem::path loras = kSource / "tests/data/goldens/lora";
  cards::Brand brand = cards::load_brand(house.folder / "tiny.toml");
  brand.voice.prompts = {{"background", "dunes"}, {"chrome", "dunes"}};
  brand.voice.loras.push_back({loras / "sd15_kohya_second.safetensors", 0.5, {"background"}});
  Backgrounds backgrounds(house.store, house.artifacts, house.config);
  const Backgrounds::Made both = backgrounds.make(brand, "background", 0, {});
  const Backgrounds::Made one = backgrounds.make(brand, "chrome", 0, {});
  CHECK(both.artifact != one.artifact);
  REQUIRE(Json::parse(both.recipe).at("loras").size() == 2);
  CHECK(Json::parse(both.recipe).at("loras")[1].at("weight") == 0.5);
  CHECK(Json::parse(one.recipe).at("loras").size() == 1);
}

TEST_CASE("a job whose template is unknown goes dead at once and names the known ones") {
  House house;
  store::NewJob job;
  job.template_name = "artcile";
  job.brand = "tiny";
  const std::int64_t id = house.store.enqueue(std::array{job}).front().id;
  CHECK(house.drain().dead == 1);
  CHECK(house.store.job(id)->error.find("did you mean 'article'?") != std::string::npos);
  CHECK(house.store.job(id)->attempts == 1);
}

TEST_CASE("tightening the policy stops the use of photographs that are there already") {
  House house;
  write_atomically(house.folder / "photos/dune.jpg.toml",
                   "title = \"Dune\"\nauthor = \"A. Sand\"\nlicense = \"CC-BY-SA-4.0\"\n"
                   "source_url = \"https://example.org/dune\"\n"
                   "license_url = \"https://creativecommons.org/licenses/by-sa/4.0/\"\n"
                   "keywords = [\"desert\"]\n");
  house.config.photos.policy.allow_sharealike = true;
  PhotoLibrary(house.config, house.store, house.artifacts).import_folder(house.folder / "photos");
  house.config.photos.policy.allow_sharealike = false;
  house.add("No share-alike any more", "\"desert\"");
  REQUIRE(house.drain().done == 1);
  CHECK(house.store.credits().empty());
}

TEST_CASE("headlines become file names") {
  CHECK(slug("Rates fall for a third time") == "rates-fall-for-a-third-time");
  CHECK(slug("  50 % off: “now”  ") == "50-off-now");
  CHECK(slug("日本") == "card");
  CHECK(slug("../../etc/passwd") == "etc-passwd");
  CHECK(slug(std::string(300, 'a')).size() == 60);
}

TEST_CASE("the same headline always gets the same variation") {
  cards::Brand brand;
  brand.voice.variations = 7;
  const std::int64_t variation = variation_of("A", brand);
  CHECK(variation == variation_of("A", brand));
  CHECK(variation >= 0);
  CHECK(variation < 7);
}
