// SPDX-License-Identifier: Apache-2.0
#include "cards/variables.h"

#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/suggest.h"
#include "cards/text.h"

namespace affiche::cards {
namespace {

// "2026-11-21" and "2026-11-21T…" become "21 November 2026"; any other text is the site's own way
// of writing the date and stays.
std::string write_date(const std::string& value) {
  constexpr std::array<const char*, 12> months = {"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};
  int year = 0;
  int month = 0;
  int day = 0;
  char end = 'T';
  const int read = std::sscanf(value.c_str(), "%4d-%2d-%2d%c", &year, &month, &day, &end);
  if (read < 3 || (read == 4 && end != 'T') || month < 1 || month > 12 || day < 1 || day > 31) {
    return value;
  }
  return concat(day, " ", months[static_cast<std::size_t>(month - 1)], " ", year);
}

std::string check_value(const std::string& name, const Variable& variable,
                        const std::string& given) {
  const std::string what = "variable \"" + name + "\"";
  std::string value = clean_text(given, what);
  if (value.empty() && variable.required) {
    fail(Cause::BadInput, what, ": expected a value, found none; set ", name);
  }
  if (count_characters(value) > variable.max_length) {
    fail(Cause::BadInput, what, ": ", count_characters(value), " characters, at most ",
         variable.max_length, "; shorten it");
  }
  Colour colour;
  if (variable.type == Variable::Type::Colour && !value.empty() && !parse_hex(value, colour)) {
    fail(Cause::BadInput, what, ": expected a colour such as #0FA3B1, found \"", value, "\"");
  }
  return variable.type == Variable::Type::Date ? write_date(value) : value;
}

}  // namespace

std::map<std::string, std::string> resolve(const Template& card,
                                           const std::map<std::string, std::string>& given) {
  std::vector<std::string> known;
  for (const auto& [name, variable] : card.variables) known.push_back(name);
  for (const auto& [name, value] : given) {
    if (!card.variables.contains(name)) {
      fail(Cause::BadInput, "template \"", card.name, "\": unknown variable \"", name, "\"",
           suggestion(name, known));
    }
  }
  std::map<std::string, std::string> values;
  for (const auto& [name, variable] : card.variables) {
    const auto found = given.find(name);
    values[name] =
        check_value(name, variable, found != given.end() ? found->second : variable.fallback);
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

std::vector<std::string> fill(const std::vector<std::string>& parts,
                              const std::map<std::string, std::string>& values,
                              const Brand& brand) {
  std::vector<std::string> result;
  for (const std::string& part : parts) {
    std::string filled;
    bool any_place = false;
    bool any_value = false;
    std::size_t from = 0;
    for (std::size_t at = part.find("{{"); at != std::string::npos; at = part.find("{{", from)) {
      const std::size_t end = part.find("}}", at);
      const std::string name = part.substr(at + 2, end - at - 2);
      const std::string& value = name == "brand.publisher" ? brand.publisher : values.at(name);
      filled.append(part, from, at - from).append(value);
      any_place = true;
      any_value = any_value || !value.empty();
      from = end + 2;
    }
    filled.append(part, from, std::string::npos);
    if ((any_place && !any_value) || filled.empty()) continue;
    result.push_back(std::move(filled));
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

bool holds(const std::string& when, bool with_photo,
           const std::map<std::string, std::string>& values) {
  if (when.empty()) return true;
  if (when == "photo") return with_photo;
  if (when == "no_photo") return !with_photo;
  const bool wanted = when.rfind("set:", 0) == 0;
  return values.at(when.substr(when.find(':') + 1)).empty() != wanted;
}

}  // namespace affiche::cards
