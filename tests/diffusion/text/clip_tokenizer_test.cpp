// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/clip_tokenizer.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/text/clip_vocabulary.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

Json small_vocabulary() {
  return Json{{"a", 0},
              {"b", 1},
              {"b</w>", 2},
              {"ab</w>", 3},
              {"<|startoftext|>", 4},
              {"<|endoftext|>", 5}};
}

}  // namespace

TEST_CASE("prompts become the ids that transformers gives") {
  const CLIPTokenizer first = clip_tokenizer(ClipPadding::EndOfText);
  const CLIPTokenizer second = clip_tokenizer(ClipPadding::Exclamation);
  const Json cases = golden_json("tokenizers/cases.json");
  REQUIRE(cases["cases"].size() == 81);
  for (const Json& one : cases["cases"]) {
    const std::string prompt = one["prompt"];
    INFO(prompt);
    CHECK(first.encode(prompt, 77) == one["clip_l"].get<std::vector<std::int64_t>>());
    CHECK(second.encode(prompt) == one["sdxl_tokenizer_2"].get<std::vector<std::int64_t>>());
    CHECK(first.untruncated_length(prompt) == one["untruncated_length"].get<std::size_t>());
  }
}

TEST_CASE("the vocabulary that the program carries is CLIP's") {
  const Json vocabulary = clip_vocabulary();
  CHECK(vocabulary.size() == 49408);
  // Entries of OpenAI's vocab.json from each of its parts.
  for (const auto& [token, id] :
       std::vector<std::pair<std::string, int>>{{"!", 0},
                                                {"\u0143", 255},
                                                {"!</w>", 256},
                                                {"\u0143</w>", 511},
                                                {"in", 512},
                                                {"the</w>", 518},
                                                {"<|startoftext|>", 49406},
                                                {"<|endoftext|>", 49407}}) {
    INFO(token);
    REQUIRE(vocabulary.contains(token));
    CHECK(vocabulary[token] == id);
  }
}

TEST_CASE("a tokenizer folder says its own marks and length") {
  const CLIPTokenizer tokenizer = CLIPTokenizer::from_folder(golden("models/sd15/tokenizer"));
  CHECK(tokenizer.vocabulary_size() == 1514);
  CHECK(tokenizer.bos() == 1512);
  CHECK(tokenizer.eos() == 1513);
  CHECK(tokenizer.pad() == 1513);
  CHECK(tokenizer.model_max_length() == 77);
  CHECK(tokenizer.encode("").size() == 77);
}

TEST_CASE("a tokenizer that contradicts itself is refused") {
  const auto build = [](const Json& vocabulary, const std::string& merges) {
    return CLIPTokenizer(vocabulary, merges, {}, "small");
  };
  CHECK(build(small_vocabulary(), "#version: 0.2\na b</w>\n").encode("AB ab", 5) ==
        std::vector<std::int64_t>{4, 3, 3, 5, 5});
  CHECK_THROWS_AS(build(small_vocabulary(), "a c\n"), Error);
  CHECK_THROWS_AS(build(small_vocabulary(), "a b\n"), Error);  // "ab" is not a token
  CHECK_THROWS_AS(build(small_vocabulary(), "a\n"), Error);
  CHECK_THROWS_AS(build(Json::array(), ""), Error);
  Json negative = small_vocabulary();
  negative["a"] = -1;
  CHECK_THROWS_AS(build(negative, ""), Error);
  Json no_end = small_vocabulary();
  no_end.erase("<|endoftext|>");
  CHECK_THROWS_AS(build(no_end, ""), Error);
}

TEST_CASE("letters outside a small vocabulary become the unknown token") {
  const CLIPTokenizer tokenizer(small_vocabulary(), "a b</w>\n", {}, "small");
  CHECK(tokenizer.encode("az", 4) == std::vector<std::int64_t>{4, 0, 5, 5});
  CHECK(tokenizer.untruncated_length("az") == 4);
}

TEST_CASE("damaged tokenizer files give a tokenizer or an error, never anything else") {
  const std::filesystem::path folder = golden("models/sd15/tokenizer");
  const std::string head = read_text(folder / "merges.txt").substr(0, 400);
  const CLIPTokenizer::Texts whole{small_vocabulary().dump(), "#version: 0.2\na b</w>\n",
                                   read_text(folder / "tokenizer_config.json"),
                                   read_text(folder / "special_tokens_map.json"), R"({"<x>": 6})"};
  CHECK(CLIPTokenizer::from_texts(whole, "whole").text_ids("ab <x>") ==
        std::vector<std::int64_t>{3, 6});
  std::uint32_t random = 1;
  const auto next = [&](std::size_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  int refused = 0, read = 0;
  for (int i = 0; i < 3000; ++i) {
    CLIPTokenizer::Texts damaged = whole;
    std::string* const parts[] = {&damaged.vocab, &damaged.merges, &damaged.tokenizer_config,
                                  &damaged.special_tokens_map, &damaged.added_tokens};
    std::string& part = *parts[next(5)];
    for (std::size_t changes = 1 + next(3); changes > 0; --changes) {
      const std::size_t at = next(part.size());
      if (next(2) == 0) part[at] = static_cast<char>(next(256));
      if (next(3) == 0) part.erase(at, next(20));
      if (next(3) == 0) part.insert(std::min(at, part.size()), head.substr(next(400), next(20)));
      if (part.empty()) break;
    }
    try {
      const CLIPTokenizer tokenizer = CLIPTokenizer::from_texts(damaged, "damaged");
      CHECK(tokenizer.encode("ab <x> z").size() == tokenizer.model_max_length());
      ++read;
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::BadInput);
      ++refused;
    }
  }
  CHECK(refused > 100);
  CHECK(read > 100);
}

TEST_CASE("a very long word is tokenized in reasonable time") {
  const CLIPTokenizer tokenizer = clip_tokenizer(ClipPadding::Exclamation);
  CHECK(tokenizer.encode(std::string(500'000, 'a')).size() == 77);
  CHECK_THROWS_AS(tokenizer.encode(std::string(2'000'000, 'a')), Error);
}

TEST_CASE("words of textual inversion become their ids as transformers and diffusers find them") {
  CLIPTokenizer tokenizer = CLIPTokenizer::from_folder(golden("models/sd15/tokenizer"));
  tokenizer.set_added(
      {{"easyneg", 1514, 2}, {"<Wob>", 1516}, {"my style", 1517}, {"CAT-toy", 1518}});
  const auto ids = [&](const std::string& text) { return tokenizer.text_ids(text); };
  using Ids = std::vector<std::int64_t>;
  // As transformers 5.23 gives them, after diffusers' maybe_convert_prompt.
  CHECK(ids("easyneg x") == Ids{1514, 1515, 343});
  CHECK(ids("easyneg, EASYNEG_1") == Ids{1514, 1515, 267, 1515});
  CHECK(ids("easynegx") == Ids{1514, 1515, 343});
  CHECK(ids("my   Style") == Ids{1517});
  CHECK(ids("<wob>!<WOB>") == Ids{1516, 256, 1516});
  CHECK(ids("a cat-toys") == Ids{320, 1518, 338});
  CHECK(ids("easyneg_12") == Ids{1515, 273});
  // Another spelling is found, but not replaced by all of its vectors.
  CHECK(ids("EasyNeg x") == Ids{1514, 343});
  CHECK(tokenizer.cut_words("EasyNeg x") == std::vector<std::string>{"easyneg"});
  CHECK(tokenizer.cut_words("easyneg x my style").empty());
  CHECK(tokenizer.untruncated_length("easyneg x") == 5);
  const Ids plain = CLIPTokenizer::from_folder(golden("models/sd15/tokenizer")).text_ids("easyneg");
  tokenizer.set_added({});
  CHECK(ids("easyneg") == plain);
}

TEST_CASE("words of textual inversion that cannot be told apart are refused") {
  CLIPTokenizer tokenizer = CLIPTokenizer::from_folder(golden("models/sd15/tokenizer"));
  using Words = std::vector<CLIPTokenizer::Added>;
  for (const Words& words :
       {Words{{"cat", 1514}}, Words{{"", 1514}}, Words{{" ", 1514}}, Words{{"<a>", 1513}},
        Words{{"<a>", 1514}, {"<A>", 1515}}, Words{{"<a>", 1514, 2}, {"<a>_1", 1516}},
        Words{{"<a>", 1514, 0}}, Words{{"<a>", 1514, 5000}}, Words{{"\xFF", 1514}}}) {
    CHECK_THROWS_AS(tokenizer.set_added(words), Error);
  }
  CHECK(tokenizer.added().empty());
}
