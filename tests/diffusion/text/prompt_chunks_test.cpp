// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/prompt_chunks.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

constexpr PromptReading kPlain{};
constexpr PromptReading kWeights{true, false};
constexpr PromptReading kLong{false, true};
constexpr PromptReading kBoth{true, true};

CLIPTokenizer sd15() {
  return CLIPTokenizer::from_folder(golden("models/sd15/tokenizer"));
}

// "a" is one token, "," too.
std::string words(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "a ";
  return text;
}

// How many ids of the text each chunk holds.
std::vector<std::size_t> fill(const CLIPTokenizer& tokenizer, const std::string& prompt,
                              const PromptReading& reading = kLong) {
  std::vector<std::size_t> counts;
  for (const PromptChunk& chunk : read_prompt(tokenizer, prompt, reading).chunks) {
    REQUIRE(chunk.ids.size() == 77);
    REQUIRE(chunk.weights.size() == 77);
    REQUIRE(chunk.ids[0] == tokenizer.bos());
    const auto end = std::find(chunk.ids.begin(), chunk.ids.end(), tokenizer.eos());
    REQUIRE(end != chunk.ids.end());
    counts.push_back(static_cast<std::size_t>(end - chunk.ids.begin()) - 1);
  }
  return counts;
}

using Counts = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a prompt that fits is one row, whatever the options") {
  const CLIPTokenizer tokenizer = sd15();
  for (const char* prompt : {"", "a cat, on a table", "1,2,3"}) {
    for (const PromptReading& reading : {kPlain, kWeights, kLong, kBoth}) {
      const PromptChunks read = read_prompt(tokenizer, prompt, reading);
      REQUIRE(read.chunks.size() == 1);
      CHECK(read.chunks[0].ids == tokenizer.encode(prompt));
      CHECK(read.chunks[0].weights == std::vector<double>(77, 1.0));
      CHECK(read.length == tokenizer.untruncated_length(prompt));
      CHECK_FALSE(read.cut);
    }
  }
  CHECK(empty_chunk(tokenizer).ids == tokenizer.encode(""));
}

TEST_CASE("a long prompt is cut to one row, or read in chunks") {
  const CLIPTokenizer tokenizer = sd15();
  const std::string prompt = words(100);
  const PromptChunks cut = read_prompt(tokenizer, prompt, kPlain);
  REQUIRE(cut.chunks.size() == 1);
  CHECK(cut.cut);
  CHECK(cut.length == 102);
  CHECK(cut.chunks[0].ids == tokenizer.encode(prompt));
  const PromptChunks weighted =
      read_prompt(tokenizer, words(50) + "(" + words(50) + ":1.5)", kWeights);
  CHECK(weighted.cut);
  CHECK(weighted.chunks[0].ids == cut.chunks[0].ids);
  CHECK(weighted.chunks[0].weights[50] == 1.0);
  CHECK(weighted.chunks[0].weights[51] == 1.5);
  CHECK(weighted.chunks[0].weights[75] == 1.5);
  CHECK(weighted.chunks[0].weights[76] == 1.0);
  CHECK(fill(tokenizer, prompt) == Counts{75, 25});
  CHECK_FALSE(read_prompt(tokenizer, prompt, kLong).cut);
  CHECK(fill(tokenizer, words(75)) == Counts{75});
  CHECK(fill(tokenizer, words(150)) == Counts{75, 75});
  CHECK(fill(tokenizer, words(151)) == Counts{75, 75, 1});
}

TEST_CASE("a full chunk ends at a comma that is near its end") {
  const CLIPTokenizer tokenizer = sd15();
  CHECK(fill(tokenizer, words(60) + "," + words(30)) == Counts{61, 30});
  CHECK(fill(tokenizer, words(55) + "," + words(30)) == Counts{56, 30});
  CHECK(fill(tokenizer, words(54) + "," + words(30)) == Counts{75, 10});  // 21 back
  CHECK(fill(tokenizer, words(74) + "," + words(5)) == Counts{75, 5});
  CHECK(fill(tokenizer, words(75) + "," + words(5)) == Counts{75, 6});
  CHECK(fill(tokenizer, words(60) + "," + words(14)) == Counts{75});
  // The part that moved keeps its weights.
  const PromptChunks read = read_prompt(tokenizer, words(60) + ", (" + words(30) + ":1.5)", kBoth);
  REQUIRE(read.chunks.size() == 2);
  CHECK(read.chunks[0].weights == std::vector<double>(77, 1.0));
  CHECK(read.chunks[1].weights[1] == 1.5);
  CHECK(read.chunks[1].weights[30] == 1.5);
  CHECK(read.chunks[1].weights[31] == 1.0);
}

TEST_CASE("BREAK starts a chunk where long prompts are read") {
  const CLIPTokenizer tokenizer = sd15();
  CHECK(fill(tokenizer, "a a BREAK a") == Counts{2, 1});
  CHECK(fill(tokenizer, "a a BREAK a", kBoth) == Counts{2, 1});
  CHECK(fill(tokenizer, "(a BREAK a:1.2)", kBoth) == Counts{1, 1});
  CHECK(fill(tokenizer, "BREAK BREAK a") == Counts{0, 0, 1});
  CHECK(fill(tokenizer, "a BREAK") == Counts{1});
  CHECK(read_prompt(tokenizer, "a BREAK b", kPlain).chunks[0].ids == tokenizer.encode("a break b"));
  const PromptChunks ignored = read_prompt(tokenizer, "a BREAK b", kWeights);
  CHECK(ignored.chunks[0].ids == tokenizer.encode("a b"));
  CHECK(ignored.break_ignored);
  CHECK_FALSE(read_prompt(tokenizer, "a BREAK b", kBoth).break_ignored);
}

TEST_CASE("the vectors of a word stay in one chunk") {
  CLIPTokenizer tokenizer = sd15();
  tokenizer.set_added({{"<ten>", 1514, 10}, {"<all>", 1524, 100}});
  CHECK(fill(tokenizer, words(65) + "<ten>") == Counts{75});
  CHECK(fill(tokenizer, words(70) + "<ten>") == Counts{70, 10});
  CHECK(fill(tokenizer, "a <all>") == Counts{75, 26});  // nowhere to keep it whole
  CHECK(read_prompt(tokenizer, "<TEN>", kLong).cut_words == std::vector<std::string>{"<ten>"});
  CHECK(read_prompt(tokenizer, "<ten>", kLong).cut_words.empty());
}

TEST_CASE("a prompt of very many chunks is refused") {
  const CLIPTokenizer tokenizer = sd15();
  CHECK(fill(tokenizer, words(64 * 75)).size() == 64);
  CHECK_THROWS_AS(read_prompt(tokenizer, words(64 * 75 + 1), kLong), Error);
  CHECK_THROWS_AS(read_prompt(tokenizer, "\xFF", kLong), Error);
}
