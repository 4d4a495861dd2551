// SPDX-License-Identifier: Apache-2.0
// Strict JSON on top of nlohmann-json. Include json_fwd.hpp in headers, this file in sources.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace affiche {

using Json = nlohmann::ordered_json;

// Parses JSON from outside. `what` names the source in errors. Refuses duplicate keys and nesting
// deeper than 64. `allow_infinity` also takes the bare words Infinity, -Infinity and NaN, which
// Python's json module writes. Throws BadInput with the byte position.
Json parse_json(std::string_view text, std::string_view what, bool allow_infinity = false);

}  // namespace affiche
