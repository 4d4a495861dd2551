// SPDX-License-Identifier: Apache-2.0
#include "photos/queries.h"

#include "catch.h"

using namespace affiche::photos;

using Words = std::vector<std::string>;

TEST_CASE("names come first, then long words, and small words are left out", "[queries]") {
  CHECK(key_words("Why the new bridge over the Rhine took ten years", "en") ==
        Words{"Rhine", "bridge", "took", "ten"});
  CHECK(key_words("The Best Way To Cook Rice At Home", "en") == Words{"Cook", "Rice", "Home"});
  CHECK(key_words("Wie die neue Brücke über den Rhein gebaut wird", "de") ==
        Words{"Brücke", "gebaut", "Rhein"});
  CHECK(key_words("Comment faire du pain à la maison", "fr") == Words{"maison", "pain"});
  CHECK(key_words("Cómo cuidar las plantas de tu jardín", "es-MX") ==
        Words{"plantas", "cuidar", "jardín"});
  CHECK(key_words("Come coltivare i pomodori sul balcone", "it") ==
        Words{"coltivare", "pomodori", "balcone"});
  CHECK(key_words("Hoe je zelf brood bakt zonder oven", "nl") ==
        Words{"brood", "zelf", "bakt", "oven"});
  CHECK(key_words("Como plantar tomates na varanda", "pt") ==
        Words{"plantar", "tomates", "varanda"});
}

TEST_CASE("repeated words, numbers and punctuation are no key words", "[queries]") {
  CHECK(key_words("“River, rivers” – 2026: the River’s end!", "en") == Words{"River", "end"});
  CHECK(key_words("", "en").empty());
  CHECK(key_words("What is this?", "en").empty());
  CHECK(key_words("12 345", "en").empty());
  CHECK(key_words("Реки Сибири", "ru") == Words{"Сибири", "Реки"});
  CHECK(key_words("\xff\xfe broken \xc3", "en").size() <= 3);
}

TEST_CASE("queries go from particular to general", "[queries]") {
  CHECK(queries_of("Why the new bridge over the Rhine took ten years", "Travel", "en") ==
        Words{"Rhine bridge took ten", "Rhine bridge Travel", "Travel", "Rhine"});
  CHECK(queries_of("What is this?", "Food & Drink", "en") == Words{"Drink Food"});
  CHECK(queries_of("Dunes", "", "en") == Words{"Dunes"});
  CHECK(queries_of("", "", "en").empty());
}

TEST_CASE("languages without a list fall back to English", "[queries]") {
  for (const char* language : {"en", "de", "fr", "es", "it", "nl", "pt", "de-AT", "pt_BR"}) {
    CAPTURE(language);
    CHECK(has_stop_list(language));
  }
  CHECK_FALSE(has_stop_list("ru"));
  CHECK_FALSE(has_stop_list(""));
}
