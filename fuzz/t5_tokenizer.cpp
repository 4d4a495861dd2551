// SPDX-License-Identifier: Apache-2.0
// T5's tokenizer files and what is tokenized with them. An input holds tokenizer.json,
// tokenizer_config.json and a prompt, with a line "%%" between them.
#include "diffusion/text/t5_tokenizer.h"
#include "fuzz/parts.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const std::vector<std::string_view> parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  return fuzz::expect_error_or_nothing([&] {
    const auto tokenizer = diffusion::T5Tokenizer::from_texts(parts[0], parts[1], "input");
    if (tokenizer.encode(parts[2], 32).size() != 32) std::abort();
    if (tokenizer.untruncated_length(parts[2]) == 0) std::abort();
  });
}
