// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/t5_tokenizer.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/text/unicode.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

const std::string kPlain = R"({"model":{"type":"Unigram","unk_id":2,"vocab":[["<pad>",0],["</s>",0],
["<unk>",0],["▁",-2],["a",-1],["b",-1.5],["ab",-2.5],["▁a",-3],["ba",-9]]},
"added_tokens":[{"id":0,"content":"<pad>"},{"id":1,"content":"</s>"},{"id":9,"content":"<x>"}]})";

T5Tokenizer tiny(const std::string& json = kPlain) {
  return T5Tokenizer::from_texts(json, "", "tiny");
}

std::string with(const std::string& from, const std::string& to) {
  std::string json = kPlain;
  return json.replace(json.find(from), from.size(), to);
}

std::string refusal(const std::string& json) {
  try {
    tiny(json).encode("a", 4);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("T5 ids are those of the reference") {
  const Json cases = golden_json("pipelines-next/t5_tokenizers.json");
  for (const auto& [folder, list] : cases.items()) {
    const T5Tokenizer tokenizer = T5Tokenizer::from_folder(golden("models-next/" + folder));
    for (const Json& item : list) {
      INFO(folder << " " << item["text"]);
      const std::string text = item["text"];
      CHECK(tokenizer.encode(text, 40) == item["ids"].get<std::vector<std::int64_t>>());
      CHECK(tokenizer.untruncated_length(text) == item["untruncated_length"]);
    }
  }
}

TEST_CASE("the likeliest pieces cover a word, the first of equals, and unknown characters join") {
  const T5Tokenizer tokenizer = tiny();
  CHECK(tokenizer.encode("ab zzb<x>a", 10) ==
        std::vector<std::int64_t>{3, 6, 3, 2, 5, 9, 7, 1, 0, 0});
  CHECK(tokenizer.encode("ab zzb<x>a", 3) == std::vector<std::int64_t>{3, 6, 1});
  CHECK(tokenizer.encode("", 1) == std::vector<std::int64_t>{1});
  CHECK(tokenizer.vocabulary_size() == 10);
}

TEST_CASE("damaged T5 tokenizers are refused by what is wrong") {
  CHECK(refusal(kPlain) == "");
  CHECK(refusal("[]").find("Unigram") != std::string::npos);
  CHECK(refusal(with("Unigram", "BPE")).find("BPE") != std::string::npos);
  CHECK(refusal(with("[\"ba\",-9]", "[\"ab\",-9]")).find("already") != std::string::npos);
  CHECK(refusal(with("-2.5", "\"x\"")).find("entry 6") != std::string::npos);
  CHECK(refusal(with("\"unk_id\":2", "\"unk_id\":99")).find("unk_id") != std::string::npos);
  CHECK(refusal(with("\"unk_id\":2", "\"byte_fallback\":true")).find("byte_fallback") !=
        std::string::npos);
  CHECK(refusal(with("\"id\":9", "\"id\":-1")).find("added_tokens") != std::string::npos);
  CHECK(refusal(with("\"id\":9", "\"single_word\":true,\"id\":9")).find("single_word") !=
        std::string::npos);
  CHECK(refusal(with("{\"model\"", "{\"normalizer\":{\"type\":\"NFD\"},\"model\"")).find("NFD") !=
        std::string::npos);
  CHECK(refusal(with("{\"model\"", "{\"pre_tokenizer\":{\"type\":\"Digits\"},\"model\""))
            .find("Digits") != std::string::npos);
}

TEST_CASE("a damaged character map is refused and never read beyond its end") {
  const auto map = [](const std::string& bytes) { return PrecompiledCharsmap(bytes, "map"); };
  for (const std::string& bytes :
       {std::string(), std::string("\x04\0\0", 3), std::string("\xff\xff\xff\xff____", 8),
        std::string("\x05\0\0\0_____", 9)}) {
    CHECK_THROWS_AS(map(bytes), Error);
  }
  // Every single unit leads outside of the table or nowhere.
  for (unsigned value = 0; value < 4096; ++value) {
    std::string bytes("\x04\0\0\0", 4);
    bytes += {static_cast<char>(value & 0xFF), static_cast<char>(value >> 8), '\x41', '\0'};
    try {
      map(bytes).normalize(U"a\u0301\u00e9");
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::BadInput);
    }
  }
}

TEST_CASE("grapheme clusters end where the standard ends them") {
  CHECK(unicode::cluster_length(U"") == 0);
  CHECK(unicode::cluster_length(U"ab") == 1);
  CHECK(unicode::cluster_length(U"a\u0301\u0302b") == 3);
  CHECK(unicode::cluster_length(U"\r\n\n") == 2);
  CHECK(unicode::cluster_length(U"\n\u0301") == 1);
  CHECK(unicode::cluster_length(U"\u0600a") == 2);
  CHECK(unicode::cluster_length(U"a\u200db") == 2);
}
