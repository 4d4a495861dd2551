// SPDX-License-Identifier: Apache-2.0
// Text in parts whose joints differ, such as a credit: "NAME / SOURCE · LICENCE".
#pragma once

#include <string>
#include <vector>

#include "cards/text.h"

namespace affiche::cards {

// A part of a line, and what joins it to the one before it: within a line, and what of that is left
// where the line ends before the part.
struct Part {
  std::string text;
  std::string joint;
  std::string joint_at_end;
};

// On one line if that fits, else with the line breaks between the parts, in as few and as even
// lines as do, else broken anywhere. request.text is not used.
FittedText fit_parts(const TextRequest& request, const std::vector<Part>& parts);

}  // namespace affiche::cards
