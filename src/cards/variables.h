// SPDX-License-Identifier: Apache-2.0
// The job's values for the template's variables, and the places in texts that they fill.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "cards/template.h"

namespace affiche::cards {

// Known to every template without being declared: the language of the card.
inline constexpr const char* kLanguageVariable = "lang";
// Likewise: "0.3 0.4", the point of the photograph that must stay visible, as fractions of it.
inline constexpr const char* kFocusVariable = "photo_focus";
// Nothing for an empty value; BadInput for anything but two numbers from 0 to 1.
std::optional<std::array<double, 2>> read_focus(const std::string& value);

// Every declared variable with its value: cleaned, within its length, dates written out. BadInput
// for unknown names (with the nearest), missing required ones, and values of the wrong type.
// Dates are in `language` (BCP 47), or in that of the variable "lang".
std::map<std::string, std::string> resolve(const Template& card,
                                           const std::map<std::string, std::string>& given,
                                           const std::string& language = "");

// `given` cleaned and checked as a value of the variable, dates written out, "true" for a flag that
// is set; empty values of optional variables are good. `what` begins the messages.
std::string check_value(const Variable& variable, const std::string& given, const std::string& what,
                        const std::string& language = "");

// The parts with their {{places}} filled; a part all of whose places are empty is left out.
std::vector<std::string> fill(const std::vector<std::string>& parts,
                              const std::map<std::string, std::string>& values, const Brand& brand);

// The names inside {{…}}, in order. BadInput for an unclosed or empty place.
std::vector<std::string> places(const std::string& text, const std::string& what);

Colour resolve(const Paint& paint, const Brand& brand,
               const std::map<std::string, std::string>& values);

// One text with its {{places}} filled.
std::string fill(const std::string& text, const std::map<std::string, std::string>& values,
                 const Brand& brand);

// The values of a variable of type numbers ("3, 4.5, 8") or list ("Solar | Wind | Water").
std::vector<double> split_numbers(const std::string& value);
std::vector<std::string> split_texts(const std::string& value, char at);
std::vector<std::string> split_list(const std::string& value);

}  // namespace affiche::cards
