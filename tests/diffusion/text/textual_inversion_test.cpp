// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/textual_inversion.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

std::filesystem::path inversion(const std::string& name) {
  return golden("textual_inversion") / name;
}

constexpr CheckpointOptions kPickles{true};

std::string refusal(const std::filesystem::path& file, const std::string& token = "",
                    const CheckpointOptions& options = {}) {
  try {
    load_textual_inversion(file, token, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every format of textual inversion gives its words and vectors") {
  const auto learned = load_textual_inversion(inversion("learned_embeds.safetensors"));
  REQUIRE(learned.size() == 1);
  CHECK(learned[0].token == "<wobble>");
  CHECK(learned[0].vectors.sizes() == at::IntArrayRef({1, 32}));
  CHECK_FALSE(learned[0].vectors_2.defined());
  CHECK(load_textual_inversion(inversion("learned_embeds.safetensors"), "<w>")[0].token == "<w>");

  const auto params = load_textual_inversion(inversion("emb_params.safetensors"));
  REQUIRE(params.size() == 1);
  CHECK(params[0].token == "emb_params");
  CHECK(params[0].vectors.sizes() == at::IntArrayRef({3, 32}));

  const auto both = load_textual_inversion(inversion("sdxl_clip_l_g.safetensors"), "<duo>");
  REQUIRE(both.size() == 1);
  CHECK(both[0].token == "<duo>");
  CHECK(both[0].vectors.sizes() == at::IntArrayRef({2, 24}));
  CHECK(both[0].vectors_2.sizes() == at::IntArrayRef({2, 40}));
}

TEST_CASE("A1111's pickle gives its own name, and only when pickles are allowed") {
  const auto own = load_textual_inversion(inversion("moss-style.pt"), "", kPickles);
  REQUIRE(own.size() == 1);
  CHECK(own[0].token == "moss-style");
  const auto params = load_textual_inversion(inversion("emb_params.safetensors"));
  CHECK(at::equal(own[0].vectors, params[0].vectors));
  CHECK(load_textual_inversion(inversion("moss-style.pt"), "m", kPickles)[0].token == "m");
  CHECK(refusal(inversion("moss-style.pt")).find("--allow-pickle") != std::string::npos);
}

TEST_CASE("diffusers' pickle of a word gives what its safetensors file gives") {
  const auto learned = load_textual_inversion(inversion("learned_embeds.bin"), "", kPickles);
  REQUIRE(learned.size() == 1);
  CHECK(learned[0].token == "<wobble>");
  CHECK(at::equal(learned[0].vectors,
                  load_textual_inversion(inversion("learned_embeds.safetensors"))[0].vectors));
}

TEST_CASE("a file may hold several words") {
  const test::TemporaryFolder folder;
  save_safetensors(folder / "two.safetensors",
                   {{"<s0>", at::ones({32})}, {"<s1>", at::ones({2, 32}, at::kHalf)}});
  const auto two = load_textual_inversion(folder / "two.safetensors");
  REQUIRE(two.size() == 2);
  CHECK(two[0].token == "<s0>");
  CHECK(two[1].vectors.size(0) == 2);
  CHECK(refusal(folder / "two.safetensors", "<s>").find("found 2: \"<s0>\"") != std::string::npos);
}

TEST_CASE("files that hold no textual inversion are refused by name") {
  const test::TemporaryFolder folder;
  const auto saved = [&](const StateDict& tensors) {
    save_safetensors(folder / "bad.safetensors", tensors);
    const std::string message = refusal(folder / "bad.safetensors");
    INFO(message);
    CHECK(message.find("bad.safetensors") != std::string::npos);
    return message;
  };
  saved({});
  CHECK(saved({{"<a>", at::ones({2, 3, 4})}}).find("<a>") != std::string::npos);
  CHECK(saved({{"<a>", at::ones({0, 4})}}).find("<a>") != std::string::npos);
  CHECK(saved({{"<a>", at::ones({2000, 4})}}).find("<a>") != std::string::npos);
  CHECK(saved({{"<a>", at::ones({4}, at::kLong)}}).find("<a>") != std::string::npos);
  CHECK(saved({{"<a>", at::full({4}, NAN)}}).find("not finite") != std::string::npos);
  CHECK(saved({{"clip_g", at::ones({4})}}).find("clip_l") != std::string::npos);
  CHECK(saved({{"clip_g", at::ones({2, 4})}, {"clip_l", at::ones({3, 4})}}).find("clip_g") !=
        std::string::npos);
  StateDict many;
  for (int i = 0; i < 65; ++i) many[concat("layer", i)] = at::ones({4});
  CHECK(saved(many).find("found 65 tensors") != std::string::npos);
  CHECK_FALSE(refusal(folder / "missing.safetensors").empty());
}
