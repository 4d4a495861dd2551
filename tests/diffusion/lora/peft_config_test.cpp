// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/peft_config.h"

#include <cmath>

#include "base/error.h"
#include "catch.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

bool fits(const std::string& pattern, const std::string& name) {
  return peft_pattern_fits(pattern, name, "test");
}

PeftConfig config(const std::string& json) {
  return PeftConfig({{"lora_adapter_metadata", json}}, "test.safetensors");
}

}  // namespace

TEST_CASE("a pattern fits a module's whole name or its end behind a dot, as in PEFT") {
  const std::string name = "down_blocks.1.attentions.0.attn1.to_q";
  CHECK(fits(name, name));
  CHECK(fits("to_q", name));
  CHECK(fits("attn1.to_q", name));
  CHECK(fits("down_blocks.*to_q", name));
  CHECK(fits(".*attn1.to_q", name));
  CHECK(fits("attentions\\.\\d+\\.attn1\\..*", name));
  CHECK(fits("^down_blocks.1.+", name));
  CHECK(fits("to_q$", name));
  CHECK_FALSE(fits("o_q", name));
  CHECK_FALSE(fits("attn1", name));
  CHECK_FALSE(fits("^attn1.to_q", name));
  CHECK_FALSE(fits("attn1\\.to_q.+", name));
  CHECK_FALSE(fits("attn\\d\\d.to_q", name));
}

TEST_CASE("patterns of regular expressions that are not understood are refused") {
  for (const char* pattern : {"(a|b)", "a?", "[ab]", "a{2}", "\\w", "*a", "a**", "a\\", "a$b"}) {
    INFO(pattern);
    CHECK_THROWS_AS(fits(pattern, "a"), Error);
  }
  CHECK_THROWS_AS(fits(std::string(1000, 'a'), "a"), Error);
}

TEST_CASE("a pattern that would explode in a backtracking matcher is answered") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  CHECK_FALSE(fits(pattern + "b", std::string(2000, 'a')));
}

TEST_CASE("alpha and rank of a module come from the first pattern that fits") {
  const PeftConfig stated = config(R"({"unet.r": 4, "unet.lora_alpha": 8,
      "unet.rank_pattern": {"mid_block.attn1.to_k": 16},
      "unet.alpha_pattern": {"mid_block.*to_q": 2, "to_q": 1}})");
  CHECK(stated.scale("unet.mid_block.attn1.to_v", 4) == 2.0);
  CHECK(stated.scale("unet.mid_block.attn1.to_q", 4) == 0.5);
  CHECK(stated.scale("unet.conv.to_q", 4) == 0.25);
  CHECK(stated.scale("unet.mid_block.attn1.to_k", 16) == 0.5);
  CHECK(stated.scale("text_encoder.to_q", 3) == 1.0);
  CHECK_THROWS_AS(stated.scale("unet.mid_block.attn1.to_k", 4), Error);
  CHECK_THROWS_AS(stated.scale("unet.mid_block.attn1.to_v", 16), Error);
}

TEST_CASE("rank-stabilised adapters divide by the root of each module's own rank") {
  const PeftConfig stated = config(R"({"unet.lora_alpha": 8, "unet.use_rslora": true,
      "unet.r": 4, "unet.rank_pattern": {"to_k": 16}})");
  CHECK(stated.scale("unet.to_q", 4) == 4.0);
  CHECK(stated.scale("unet.to_k", 16) == 2.0);
}
