// SPDX-License-Identifier: Apache-2.0
#include "cards/variables.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/suggest.h"
#include "cards/language.h"
#include "cards/text.h"

namespace affiche::cards {
namespace {

[[noreturn]] void wrong(const std::string& what, const char* expected, const std::string& found) {
  fail(Cause::BadInput, what, ": expected ", expected, ", found \"", found, "\"");
}

// "2026-11-21" and "2026-11-21T…" are written out; any other text is the site's own way of writing
// the date and stays.
std::string write_date(const std::string& value, const std::string& what,
                       const std::string& language) {
  int year = 0;
  int month = 0;
  int day = 0;
  char end = 'T';
  const int read = std::sscanf(value.c_str(), "%4d-%2d-%2d%c", &year, &month, &day, &end);
  if (read < 3 || (read == 4 && end != 'T')) return value;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) wrong(what, "a day of the calendar", value);
  return long_date(date, language);
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<double> as_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool plain = text.find_first_not_of("+-0123456789.eE") == std::string::npos;
  if (text.empty() || !plain || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

constexpr std::size_t kMaxValues = 40;

std::string check_typed(const Variable& variable, const std::string& value, const std::string& what,
                        const std::string& language) {
  Colour colour;
  switch (variable.type) {
    case Variable::Type::Date:
      return write_date(value, what, language);
    case Variable::Type::Colour:
      if (!parse_hex(value, colour)) wrong(what, "a colour such as #0FA3B1", value);
      return value;
    case Variable::Type::Choice:
      if (std::find(variable.choices.begin(), variable.choices.end(), value) ==
          variable.choices.end()) {
        fail(Cause::BadInput, what, ": unknown choice \"", value, "\"",
             suggestion(value, variable.choices));
      }
      return value;
    case Variable::Type::Number:
      if (!as_number(value)) wrong(what, "a number", value);
      return value;
    case Variable::Type::Flag:
      if (value != "true" && value != "false") wrong(what, "true or false", value);
      return value == "true" ? value : "";
    case Variable::Type::Url:
      if (value.rfind("https://", 0) != 0 && value.rfind("http://", 0) != 0) {
        wrong(what, "an address that begins with https://", value);
      }
      return value;
    case Variable::Type::Numbers:
      for (const std::string& part : split_texts(value, ',')) {
        if (!as_number(part)) wrong(what, "numbers such as \"3, 4.5, 8\"", value);
      }
      if (split_texts(value, ',').size() > kMaxValues) wrong(what, "at most 40 numbers", value);
      return value;
    case Variable::Type::List:
      if (split_texts(value, '|').size() > kMaxValues) wrong(what, "at most 40 entries", value);
      return value;
    default:
      return value;
  }
}

}  // namespace

std::string check_value(const Variable& variable, const std::string& given, const std::string& what,
                        const std::string& language) {
  const std::string value = clean_text(given, what);
  if (count_characters(value) > variable.max_length) {
    fail(Cause::BadInput, what, ": ", count_characters(value), " characters, at most ",
         variable.max_length, "; shorten it");
  }
  return value.empty() ? value : check_typed(variable, value, what, language);
}

std::vector<std::string> split_texts(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t end = text.find(at); end != std::string::npos; end = text.find(at, from)) {
    parts.push_back(trimmed(text.substr(from, end - from)));
    from = end + 1;
  }
  parts.push_back(trimmed(text.substr(from)));
  return parts;
}

std::optional<std::array<double, 2>> read_focus(const std::string& value) {
  if (value.empty()) return std::nullopt;
  const std::string what = concat("variable \"", kFocusVariable, "\"");
  const std::size_t space = value.find(' ');
  const std::optional<double> x = as_number(value.substr(0, space));
  const std::optional<double> y =
      space == std::string::npos ? std::nullopt : as_number(trimmed(value.substr(space)));
  if (!x || !y || !(*x >= 0 && *x <= 1 && *y >= 0 && *y <= 1)) {
    wrong(what, "two numbers from 0 to 1 such as \"0.3 0.4\"", value);
  }
  return std::array<double, 2>{*x, *y};
}

std::vector<double> split_numbers(const std::string& value) {
  std::vector<double> numbers;
  if (value.empty()) return numbers;
  for (const std::string& part : split_texts(value, ','))
    numbers.push_back(as_number(part).value_or(0));
  return numbers;
}

std::vector<std::string> split_list(const std::string& value) {
  return value.empty() ? std::vector<std::string>{} : split_texts(value, '|');
}

std::map<std::string, std::string> resolve(const Template& card,
                                           const std::map<std::string, std::string>& given,
                                           const std::string& language) {
  const auto own = given.find(kLanguageVariable);
  const std::string& spoken = language.empty() && own != given.end() ? own->second : language;
  std::vector<std::string> known;
  for (const auto& [name, variable] : card.variables) known.push_back(name);
  for (const auto& [name, value] : given) {
    if (!card.variables.contains(name) && name != kLanguageVariable && name != kFocusVariable) {
      fail(Cause::BadInput, "template \"", card.name, "\": unknown variable \"", name, "\"",
           suggestion(name, known));
    }
  }
  std::map<std::string, std::string> values;
  for (const auto& [name, variable] : card.variables) {
    const auto found = given.find(name);
    const std::string what = "variable \"" + name + "\"";
    values[name] = check_value(variable, found != given.end() ? found->second : variable.fallback,
                               what, spoken);
    if (values[name].empty() && variable.required) {
      fail(Cause::BadInput, what, ": expected a value, found none; set ", name);
    }
  }
  for (const char* name : {kLanguageVariable, kFocusVariable}) {
    if (const auto found = given.find(name); found != given.end()) {
      values.emplace(name, clean_text(found->second, concat("variable \"", name, "\"")));
    }
  }
  return values;
}

std::vector<std::string> places(const std::string& text, const std::string& what) {
  std::vector<std::string> names;
  for (std::size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string::npos || end == at + 2) {
      fail(Cause::BadInput, what, ": expected {{name}} in \"", text, "\"");
    }
    names.push_back(text.substr(at + 2, end - at - 2));
  }
  return names;
}

namespace {

struct Filled {
  std::string text;
  bool empty = false;  // it has places, and none of them has a value
};

Filled fill_places(const std::string& text, const std::map<std::string, std::string>& values,
                   const Brand& brand) {
  Filled filled;
  bool any_place = false;
  bool any_value = false;
  std::size_t from = 0;
  for (std::size_t at = text.find("{{"); at != std::string::npos; at = text.find("{{", from)) {
    const std::size_t end = text.find("}}", at);
    const std::string name = text.substr(at + 2, end - at - 2);
    const std::string& value = name == "brand.publisher" ? brand.publisher : values.at(name);
    filled.text.append(text, from, at - from).append(value);
    any_place = true;
    any_value = any_value || !value.empty();
    from = end + 2;
  }
  filled.text.append(text, from, std::string::npos);
  filled.empty = (any_place && !any_value) || filled.text.empty();
  return filled;
}

}  // namespace

std::string fill(const std::string& text, const std::map<std::string, std::string>& values,
                 const Brand& brand) {
  return fill_places(text, values, brand).text;
}

std::vector<std::string> fill(const std::vector<std::string>& parts,
                              const std::map<std::string, std::string>& values,
                              const Brand& brand) {
  std::vector<std::string> result;
  for (const std::string& part : parts) {
    Filled filled = fill_places(part, values, brand);
    if (!filled.empty) result.push_back(std::move(filled.text));
  }
  return result;
}

Colour resolve(const Paint& paint, const Brand& brand,
               const std::map<std::string, std::string>& values) {
  if (paint.source == Paint::Source::Literal) return paint.literal;
  Colour colour;
  if (paint.source == Paint::Source::Brand) {
    colour = brand.colour(paint.name);
  } else if (!parse_hex(values.at(paint.name), colour)) {
    fail(Cause::BadInput, "variable \"", paint.name, "\": expected a colour, found nothing");
  }
  colour.alpha *= paint.alpha;
  return colour;
}

}  // namespace affiche::cards
