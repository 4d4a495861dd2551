// SPDX-License-Identifier: Apache-2.0
// Names of OpenType features and axes, as brands and templates give them. They reach HarfBuzz as
// text, so nothing but names and numbers may pass.
#pragma once

#include <string_view>

namespace affiche::cards {

// Four letters or digits: "tnum", "GRAD".
bool is_opentype_tag(std::string_view tag);

// "tnum" or "ss01=2".
bool is_opentype_feature(std::string_view feature);

}  // namespace affiche::cards
