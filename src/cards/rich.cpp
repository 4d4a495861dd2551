// SPDX-License-Identifier: Apache-2.0
#include "cards/rich.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace affiche::cards {
namespace {

constexpr std::array<std::pair<std::string_view, Mark>, 10> kTags = {{{"b", Mark::Bold},
                                                                      {"strong", Mark::Bold},
                                                                      {"i", Mark::Italic},
                                                                      {"em", Mark::Italic},
                                                                      {"u", Mark::Underline},
                                                                      {"s", Mark::Strike},
                                                                      {"sup", Mark::Superscript},
                                                                      {"sub", Mark::Subscript},
                                                                      {"small", Mark::Small},
                                                                      {"mark", Mark::Accent}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEntities = {
    {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}}};

// A place of the source that is a tag: where its pair stands is found before anything is written,
// so that a lone one stays text.
struct Tag {
  std::size_t at = 0;
  std::size_t size = 0;
  Mark mark = Mark::Bold;
  bool opens = false;
  bool line_break = false;
  bool paired = false;
};

std::optional<Tag> read_tag(std::string_view rest, std::size_t at) {
  Tag tag{at, 0, Mark::Bold, true, false, false};
  std::size_t from = 1;
  if (from < rest.size() && rest[from] == '/') {
    tag.opens = false;
    ++from;
  }
  // The longest name has six letters: text with a lone "<" is not searched to its end.
  const std::size_t end = rest.substr(0, 12).find('>');
  if (end == std::string_view::npos || end <= from) return std::nullopt;
  const std::string_view name = rest.substr(from, end - from);
  tag.size = end + 1;
  if (tag.opens && (name == "br" || name == "br/" || name == "br /")) {
    tag.line_break = true;
    return tag;
  }
  for (const auto& [known, mark] : kTags) {
    if (name != known) continue;
    tag.mark = mark;
    return tag;
  }
  return std::nullopt;
}

std::vector<Tag> find_tags(const std::string& source) {
  std::vector<Tag> tags;
  std::vector<std::size_t> open;
  for (std::size_t at = source.find('<'); at != std::string::npos; at = source.find('<', at + 1)) {
    const std::optional<Tag> tag = read_tag(std::string_view(source).substr(at), at);
    if (!tag) continue;
    tags.push_back(*tag);
    if (tag->line_break) {
      tags.back().paired = true;
    } else if (tag->opens) {
      open.push_back(tags.size() - 1);
    } else if (!open.empty() && tags[open.back()].mark == tag->mark) {
      tags[open.back()].paired = true;
      tags.back().paired = true;
      open.pop_back();
    }
  }
  return tags;
}

void append_text(std::string& text, std::string_view part) {
  while (!part.empty()) {
    const std::size_t stop = std::min(part.find('&'), part.size());
    text += part.substr(0, stop);
    part.remove_prefix(stop);
    if (part.empty()) return;
    const auto* const entity =
        std::find_if(kEntities.begin(), kEntities.end(),
                     [&](const auto& known) { return part.starts_with(known.first); });
    if (entity == kEntities.end()) {
      text += '&';
      part.remove_prefix(1);
    } else {
      text += entity->second;
      part.remove_prefix(entity->first.size());
    }
  }
}

}  // namespace

RichText read_rich(const std::string& source) {
  RichText result;
  const std::string_view all = source;
  std::vector<Span> open;
  std::size_t from = 0;
  for (const Tag& tag : find_tags(source)) {
    if (!tag.paired) continue;
    append_text(result.text, all.substr(from, tag.at - from));
    from = tag.at + tag.size;
    if (tag.line_break) {
      result.text += '\n';
    } else if (tag.opens) {
      open.push_back({result.text.size(), 0, tag.mark});
    } else {
      open.back().to = result.text.size();
      if (open.back().to > open.back().from) result.spans.push_back(open.back());
      open.pop_back();
    }
  }
  append_text(result.text, all.substr(from));
  return result;
}

RichText edited(const RichText& source, const std::vector<TextEdit>& edits) {
  RichText result;
  result.text.reserve(source.text.size() + edits.size() * 3);
  std::size_t from = 0;
  for (const TextEdit& edit : edits) {
    result.text.append(source.text, from, edit.at - from).append(edit.inserted);
    from = edit.at + edit.removed;
  }
  result.text.append(source.text, from, std::string::npos);

  // What is inserted at a span's end belongs to the span, so that the parts of a word stay alike.
  const auto moved = [&](std::size_t at) {
    std::size_t to = at;
    for (const TextEdit& edit : edits) {
      if (edit.at >= at) break;
      to += edit.inserted.size() - edit.removed;
    }
    return to;
  };
  for (const Span& span : source.spans) {
    result.spans.push_back({moved(span.from), moved(span.to), span.mark});
  }
  return result;
}

RichText shortened(const RichText& source, std::size_t bytes, const std::string& end) {
  RichText result{source.text.substr(0, bytes) + end, {}};
  for (const Span& span : source.spans) {
    if (span.from < bytes) result.spans.push_back({span.from, std::min(span.to, bytes), span.mark});
  }
  return result;
}

}  // namespace affiche::cards
