// SPDX-License-Identifier: Apache-2.0
// The job's values for the template's variables, and the places in texts that they fill.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "cards/template.h"

namespace affiche::cards {

// Every declared variable with its value: cleaned, within its length, dates written out. BadInput
// for unknown names (with the nearest), missing required ones, and values of the wrong type.
std::map<std::string, std::string> resolve(const Template& card,
                                           const std::map<std::string, std::string>& given);

// The parts with their {{places}} filled; a part all of whose places are empty is left out.
std::vector<std::string> fill(const std::vector<std::string>& parts,
                              const std::map<std::string, std::string>& values, const Brand& brand);

// The names inside {{…}}, in order. BadInput for an unclosed or empty place.
std::vector<std::string> places(const std::string& text, const std::string& what);

Colour resolve(const Paint& paint, const Brand& brand,
               const std::map<std::string, std::string>& values);

// Whether a layer with this condition is drawn.
bool holds(const std::string& when, bool with_photo,
           const std::map<std::string, std::string>& values);

}  // namespace affiche::cards
