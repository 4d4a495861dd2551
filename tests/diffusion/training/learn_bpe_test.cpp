// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/random.h"
#include "catch.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/tokenizer/learn_bpe.h"

using namespace affiche::diffusion;

TEST_CASE("the tokenizer reads a learned vocabulary and makes one token of each known word",
          "[learn_bpe]") {
  std::vector<std::string> captions;
  for (std::uint64_t seed = 0; seed < 500; ++seed) captions.push_back(caption(random_scene(seed)));
  const Vocabulary vocabulary = learn_bpe(captions, 1000);
  REQUIRE(vocabulary.tokens.size() == 512 + vocabulary.merges.size() + 2);

  const auto folder =
      std::filesystem::temp_directory_path() / ("affiche-bpe-" + affiche::random_hex(6));
  write_tokenizer(folder, vocabulary, 77);
  const CLIPTokenizer tokenizer = CLIPTokenizer::from_folder(folder);
  std::filesystem::remove_all(folder);
  const std::string text = "Soft waves, deep teal";
  REQUIRE(tokenizer.untruncated_length(text) == 7);  // two markers, four words, a comma
  const auto ids = tokenizer.encode(text);
  REQUIRE(vocabulary.tokens[static_cast<std::size_t>(ids[1])] == "soft</w>");
  REQUIRE(vocabulary.tokens[static_cast<std::size_t>(ids[2])] == "waves</w>");
  REQUIRE(vocabulary.tokens[static_cast<std::size_t>(ids[3])] == ",</w>");
  REQUIRE(ids[6] == tokenizer.eos());
  // Words that no caption has are spelled out, never lost.
  REQUIRE(tokenizer.untruncated_length("zebra 42") >= 6);
}

TEST_CASE("a limit on merges is kept", "[learn_bpe]") {
  const std::vector<std::string> captions = {"aaaa bbbb aaaa"};
  REQUIRE(learn_bpe(captions, 2).merges.size() == 2);
  REQUIRE(learn_bpe(captions, 1).merges.front().first == "a");
}
