// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/prompt_chunks.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "diffusion/text/prompt_weights.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kCommaBacktrack = 20;
constexpr std::size_t kMostChunks = 64;

PromptChunk finished(const CLIPTokenizer& tokenizer, PromptChunk chunk) {
  chunk.ids.insert(chunk.ids.begin(), tokenizer.bos());
  chunk.weights.insert(chunk.weights.begin(), 1);
  chunk.ids.push_back(tokenizer.eos());
  chunk.ids.resize(tokenizer.model_max_length(), tokenizer.pad());
  chunk.weights.resize(chunk.ids.size(), 1);
  return chunk;
}

class Cutter {
 public:
  explicit Cutter(const CLIPTokenizer& tokenizer)
      : tokenizer_(tokenizer),
        capacity_(tokenizer.model_max_length() - 2),
        comma_(tokenizer.find(",</w>").value_or(-1)) {
    if (capacity_ == 0) fail(Cause::BadInput, "long_prompts: the model reads no text at all");
  }

  void add(const std::vector<std::int64_t>& ids, double weight) {
    for (std::size_t i = 0; i < ids.size();) {
      make_room(ids[i]);
      const std::size_t run = word_length(ids, i);
      if (run <= capacity_ && chunk_.ids.size() + run > capacity_) next_chunk();
      for (std::size_t end = i + run; i < end; ++i) {
        if (chunk_.ids.size() == capacity_) next_chunk();  // only in words longer than a chunk
        chunk_.ids.push_back(ids[i]);
        chunk_.weights.push_back(weight);
      }
    }
  }
  void next_chunk() {
    if (chunks_.size() + 1 >= kMostChunks) {
      fail(Cause::BadInput, "prompt: expected at most ", kMostChunks, " chunks of ", capacity_,
           " tokens");
    }
    chunks_.push_back(finished(tokenizer_, std::move(chunk_)));
    chunk_ = {};
    last_comma_.reset();
  }
  std::vector<PromptChunk> finish() {
    if (!chunk_.ids.empty() || chunks_.empty()) {
      chunks_.push_back(finished(tokenizer_, std::move(chunk_)));
    }
    return std::move(chunks_);
  }

 private:
  void make_room(std::int64_t id) {
    const std::size_t size = chunk_.ids.size();
    if (id == comma_) {
      last_comma_ = size;
    } else if (size == capacity_ && last_comma_ && size - *last_comma_ <= kCommaBacktrack) {
      const auto keep = static_cast<std::ptrdiff_t>(*last_comma_ + 1);
      PromptChunk moved{{chunk_.ids.begin() + keep, chunk_.ids.end()},
                        {chunk_.weights.begin() + keep, chunk_.weights.end()}};
      chunk_.ids.resize(*last_comma_ + 1);
      chunk_.weights.resize(*last_comma_ + 1);
      next_chunk();
      chunk_ = std::move(moved);
    }
    if (chunk_.ids.size() == capacity_) next_chunk();
  }
  // How many ids from ids[i] on are the vectors of one word.
  std::size_t word_length(const std::vector<std::int64_t>& ids, std::size_t i) const {
    for (const CLIPTokenizer::Added& word : tokenizer_.added()) {
      if (word.id != ids[i]) continue;
      std::size_t length = 1;
      while (length < static_cast<std::size_t>(word.count) && i + length < ids.size() &&
             ids[i + length] == word.id + static_cast<std::int64_t>(length)) {
        ++length;
      }
      return length;
    }
    return 1;
  }

  const CLIPTokenizer& tokenizer_;
  std::size_t capacity_;
  std::int64_t comma_;
  std::optional<std::size_t> last_comma_;
  PromptChunk chunk_;
  std::vector<PromptChunk> chunks_;
};

// The first chunk's worth of the text, cut hard.
PromptChunk first_chunk(const CLIPTokenizer& tokenizer, PromptChunk whole) {
  const std::size_t kept = std::min(whole.ids.size(), tokenizer.model_max_length() - 2);
  whole.ids.resize(kept);
  whole.weights.resize(kept);
  return finished(tokenizer, std::move(whole));
}

std::vector<PromptPart> parts_of(std::string_view utf8, const PromptReading& reading) {
  if (reading.weights) return parse_prompt_weights(utf8);
  if (reading.chunks) return split_at_breaks(utf8);
  return {{std::string(utf8)}};
}

}  // namespace

PromptChunks read_prompt(const CLIPTokenizer& tokenizer, std::string_view utf8,
                         const PromptReading& reading) {
  PromptChunks result;
  PromptChunk whole;
  Cutter cutter(tokenizer);
  for (const PromptPart& part : parts_of(utf8, reading)) {
    if (part.starts_chunk) {
      if (reading.chunks) cutter.next_chunk();
      result.break_ignored |= !reading.chunks;
      continue;
    }
    const std::vector<std::int64_t> ids = tokenizer.text_ids(part.text);
    if (reading.chunks) cutter.add(ids, part.weight);
    whole.ids.insert(whole.ids.end(), ids.begin(), ids.end());
    whole.weights.resize(whole.ids.size(), part.weight);
    for (std::string& word : tokenizer.cut_words(part.text)) {
      result.cut_words.push_back(std::move(word));
    }
  }
  result.length = whole.ids.size() + 2;
  result.cut = !reading.chunks && result.length > tokenizer.model_max_length();
  if (reading.chunks) {
    result.chunks = cutter.finish();
  } else {
    result.chunks.push_back(first_chunk(tokenizer, std::move(whole)));
  }
  return result;
}

PromptChunk empty_chunk(const CLIPTokenizer& tokenizer) {
  return finished(tokenizer, {});
}

}  // namespace affiche::diffusion
