// SPDX-License-Identifier: Apache-2.0
// The names of a ComfyUI node's values in the order in which the UI's notation lists them.
#pragma once

#include <string>
#include <vector>

namespace affiche::recipes {

// In place of the name of a control of the editor that is no input of the node.
inline constexpr const char* kNoWidget = "";

// nullptr for classes that we do not know.
const std::vector<std::string>* widget_names(const std::string& type);

}  // namespace affiche::recipes
