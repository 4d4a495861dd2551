// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace affiche::cards {

// A number with its unit as the language writes them: "88,5 Tsd.", "44 %", "%44", "٤٤٪". `number`
// is in plain digits; its decimals are kept. Without a language it stays as it is, and a unit of
// letters keeps a space before it.
std::string number_with_unit(const std::string& number, const std::string& unit,
                             const std::string& tag);

}  // namespace affiche::cards
