// SPDX-License-Identifier: Apache-2.0
// A prompt as rows of ids for the text encoder, which reads 77 at once: either the first 75 tokens
// of the text, or all of them in chunks of 75, cut as A1111 cuts them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/text/clip_tokenizer.h"

namespace affiche::diffusion {

struct PromptReading {
  bool weights = false;  // A1111's brackets (text/prompt_weights.h); else they are text
  bool chunks = false;   // all of the text, and BREAK; else the start of it
};

struct PromptChunk {
  std::vector<std::int64_t> ids;  // bos, at most model_max_length - 2 of the text, eos, padding
  std::vector<double> weights;    // one for each id; 1 for bos, eos and padding
};

struct PromptChunks {
  std::vector<PromptChunk> chunks;     // at least one
  std::size_t length = 0;              // ids of the whole text, with one bos and one eos
  bool cut = false;                    // the chunks hold less than that
  bool break_ignored = false;          // weights were read and a BREAK was not, see below
  std::vector<std::string> cut_words;  // CLIPTokenizer::cut_words() of the text
};

// In chunks: a chunk that is full ends at its last comma if that is among its last 20 tokens, and
// what follows moves to the next (A1111's comma_padding_backtrack); BREAK ends a chunk; the vectors
// of a word of textual inversion stay in one chunk. Without chunks, BREAK is text, or a space where
// weights are read. Otherwise a text without brackets gives the same with weights and without.
// BadInput as CLIPTokenizer::encode() and parse_prompt_weights(), and beyond 64 chunks.
PromptChunks read_prompt(const CLIPTokenizer& tokenizer, std::string_view utf8,
                         const PromptReading& reading);

// Of an empty text.
PromptChunk empty_chunk(const CLIPTokenizer& tokenizer);

}  // namespace affiche::diffusion
