// SPDX-License-Identifier: Apache-2.0
#include "service/outputs.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::service {
namespace {

constexpr std::size_t kMostOutputs = 40;
constexpr std::int64_t kMostBytes = 1 << 30;

// "jpg", as extension() has it without its dot.
std::string name_of(cards::Format format) {
  return cards::extension(format) + 1;
}

cards::Format read_format(const std::string& name, const std::string& what) {
  try {
    return cards::format_for("card." + name);
  } catch (const Error&) {
    fail(Cause::BadInput, what, ": format \"", name, "\": expected jpg, png, webp or avif");
  }
}

std::size_t read_bytes_number(std::int64_t bytes, const std::string& what) {
  if (bytes < 0 || bytes > kMostBytes) {
    fail(Cause::BadInput, what, ": budget: expected 0 to ", kMostBytes, " bytes, found ", bytes);
  }
  return static_cast<std::size_t>(bytes);
}

void check_size_name(const std::string& size, const std::string& what) {
  if (size.empty() || size.size() > 60 || size.find_first_of("/\\.: \t") != std::string::npos) {
    fail(Cause::BadInput, what, ": size \"", size, "\": expected the name of a size, such as card");
  }
}

Output read_text_output(const std::string& text, const std::string& what) {
  const std::string place = what + " \"" + text + "\"";
  const std::size_t dot = text.find('.');
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (dot == std::string::npos || dot > colon) {
    fail(Cause::BadInput, place, ": expected SIZE.FORMAT or SIZE.FORMAT:BYTES, such as card.jpg");
  }
  Output output;
  output.size = text.substr(0, dot);
  check_size_name(output.size, place);
  output.format = read_format(text.substr(dot + 1, colon - dot - 1), place);
  if (colon < text.size()) {
    std::int64_t bytes = 0;
    const auto [end, error] =
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), bytes);
    if (error != std::errc() || end != text.data() + text.size()) {
      fail(Cause::BadInput, place, ": expected a number of bytes after the colon");
    }
    output.budget = read_bytes_number(bytes, place);
  }
  return output;
}

Output read_object_output(const Json& object, const std::string& what) {
  static const std::vector<std::string> kKeys = {"size", "format", "budget", "quality"};
  Output output;
  for (const auto& [key, value] : object.items()) {
    if (key == "size" && value.is_string()) {
      output.size = value.get<std::string>();
    } else if (key == "format" && value.is_string()) {
      output.format = read_format(value.get<std::string>(), what);
    } else if (key == "budget" && value.is_number_integer()) {
      output.budget = read_bytes_number(value.get<std::int64_t>(), what);
    } else if (key == "quality" && value.is_number_integer() && value.get<std::int64_t>() >= 1 &&
               value.get<std::int64_t>() <= 100) {
      output.quality = value.get<int>();
    } else if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) {
      fail(Cause::BadInput, what, ": ", key, ": expected ",
           key == "budget"    ? "a number of bytes"
           : key == "quality" ? "1 to 100"
                              : "a text",
           ", found ", value.dump(-1, ' ', false, Json::error_handler_t::replace));
    } else {
      fail(Cause::BadInput, what, ": unknown key \"", key, "\"", suggestion(key, kKeys));
    }
  }
  check_size_name(output.size, what);
  return output;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::size_t from = 0;
  while ((from = text.find_first_not_of(" ,\t", from)) != std::string::npos) {
    const std::size_t to = std::min(text.find_first_of(" ,\t", from), text.size());
    words.push_back(text.substr(from, to - from));
    from = to;
  }
  return words;
}

}  // namespace

std::string label(const Output& output) {
  return output.size + "." + name_of(output.format);
}

std::vector<Output> read_outputs(const Json& list, const std::string& what) {
  std::vector<Output> outputs;
  if (list.is_string()) {
    for (const std::string& word : words_of(list.get<std::string>())) {
      outputs.push_back(read_text_output(word, what));
    }
  } else if (list.is_array()) {
    for (const Json& each : list) {
      if (!each.is_string() && !each.is_object()) {
        fail(Cause::BadInput, what, ": expected texts such as \"card.jpg\" or objects, found ",
             each.type_name());
      }
      outputs.push_back(each.is_string() ? read_text_output(each.get<std::string>(), what)
                                         : read_object_output(each, what));
    }
  } else {
    fail(Cause::BadInput, what, ": expected a list, found ", list.type_name());
  }
  if (outputs.size() > kMostOutputs) {
    fail(Cause::BadInput, what, ": expected at most ", kMostOutputs, ", found ", outputs.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (label(outputs[i]) == label(outputs[j])) {
        fail(Cause::BadInput, what, ": ", label(outputs[i]), " occurs twice");
      }
    }
  }
  return outputs;
}

std::string to_json(const std::vector<Output>& outputs) {
  Json list = Json::array();
  for (const Output& output : outputs) {
    list.push_back({{"size", output.size},
                    {"format", name_of(output.format)},
                    {"budget", output.budget},
                    {"quality", output.quality}});
  }
  return list.dump();
}

std::vector<std::string> names_of(
    const cards::Template& card, const std::vector<Output>& outputs,
    const std::function<std::vector<std::string>(const cards::Template&)>& names) {
  if (outputs.empty()) return names(card);
  std::vector<std::string> all;
  for (const Output& output : outputs) {
    if (output.size == kHeroSize) continue;
    for (const std::string& name : names(card.at_size(output.size))) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    }
  }
  return all;
}

void check_outputs(const std::vector<Output>& outputs, const cards::Template& card,
                   const std::string& what) {
  const std::vector<std::string> sizes = card.sizes();
  for (const Output& output : outputs) {
    if (output.size == kHeroSize) {
      if (!card.has_photo()) {
        fail(Cause::BadInput, what, ": ", label(output), ": template \"", card.name,
             "\" shows no photograph, so there is no hero");
      }
    } else if (std::find(sizes.begin(), sizes.end(), output.size) == sizes.end()) {
      fail(Cause::BadInput, what, ": ", label(output), ": template \"", card.name,
           "\" has no size \"", output.size, "\"", suggestion(output.size, sizes));
    }
  }
}

}  // namespace affiche::service
