// SPDX-License-Identifier: Apache-2.0
// Tokenizer files and what is tokenized with them. An input holds vocab.json, merges.txt and a
// prompt, with a line "%%" between them.
#include "base/json.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/text/prompt_weights.h"
#include "fuzz/parts.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const std::vector<std::string_view> parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  fuzz::expect_error_or_nothing(
      [&] { static_cast<void>(diffusion::parse_prompt_weights(parts[2])); });
  return fuzz::expect_error_or_nothing([&] {
    const diffusion::CLIPTokenizer tokenizer(parse_json(parts[0], "vocab.json"), parts[1], {},
                                             "input");
    if (tokenizer.encode(parts[2], 77).size() != 77) std::abort();
    static_cast<void>(tokenizer.untruncated_length(parts[2]));
  });
}
