// SPDX-License-Identifier: Apache-2.0
#include "recipes/parameters.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

constexpr std::string_view kNegative = "Negative prompt:";
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kFewestFields = 3;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// Length of a field's name at the front, which a colon follows; 0: none.
std::size_t name_length(std::string_view text) {
  if (text.empty() || !is_word(text[0])) return 0;
  std::size_t length = 1;
  while (length < std::min(text.size(), kLongestName) &&
         (is_word(text[length]) || text[length] == ' ' || text[length] == '-' ||
          text[length] == '/')) {
    ++length;
  }
  return length > 1 && length < text.size() && text[length] == ':' ? length : 0;
}

// Behind the closing quote of a value that begins with one; 0: it never closes.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

std::string unquoted(std::string_view text) {
  const Json value = Json::parse(text, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string(text);
}

void add_line(std::string& text, bool& begun, std::string_view line) {
  if (begun) text += '\n';
  text += line;
  begun = true;
}

std::string one_line(std::string_view text) {
  std::string out = clean_text(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

std::string quoted_if_needed(const std::string& value) {
  if (value.find_first_of(",:\n\"") == std::string::npos) return value;
  return Json(value).dump();
}

}  // namespace

std::optional<std::string> Parameters::field(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> parse_fields(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!line.empty()) {
    const std::size_t length = name_length(line);
    if (length == 0) {
      line.remove_prefix(1);
      continue;
    }
    const std::string name(line.substr(0, length));
    line.remove_prefix(length + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    std::size_t used = line.starts_with('"') ? quoted_length(line) : 0;
    if (used > 0) {
      fields.emplace_back(name, unquoted(line.substr(0, used)));
    } else {
      used = std::min(line.find(','), line.size());
      fields.emplace_back(name, std::string(trimmed(line.substr(0, used))));
    }
    line.remove_prefix(used);
    line.remove_prefix(std::min(line.find_first_not_of(" \t,"), line.size()));
  }
  return fields;
}

Parameters parse_parameters(std::string_view text) {
  text = trimmed(text);
  Parameters found;
  const std::size_t last = text.rfind('\n');
  const std::string_view line = last == std::string_view::npos ? text : text.substr(last + 1);
  found.fields = parse_fields(line);
  if (found.fields.size() >= kFewestFields) {
    text = last == std::string_view::npos ? std::string_view() : text.substr(0, last);
  } else {
    found.fields.clear();
  }
  bool negative = false, begun = false, negative_begun = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view part = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.starts_with(kNegative)) {
      negative = true;
      part = trimmed(part.substr(kNegative.size()));
    }
    add_line(negative ? found.negative_prompt : found.prompt, negative ? negative_begun : begun,
             part);
  }
  return found;
}

std::string to_text(const Parameters& parameters) {
  std::string text = clean_text(parameters.prompt);
  if (!parameters.negative_prompt.empty()) {
    text += concat("\n", kNegative, " ", clean_text(parameters.negative_prompt));
  }
  std::string line;
  for (const auto& [name, value] : parameters.fields) {
    line += concat(line.empty() ? "" : ", ", name, ": ", quoted_if_needed(one_line(value)));
  }
  return text + "\n" + line;
}

}  // namespace affiche::recipes
