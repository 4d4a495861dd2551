// SPDX-License-Identifier: Apache-2.0
// The file beside a picture that says whose it is. Strict: unknown keys, empty fields, odd URLs and
// contradictions are errors, since a wrong credit is worse than none. Thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "imaging/credit.h"

namespace affiche::photos {

struct Sidecar {
  Credit credit;  // license in its normal form; license_url filled in for known licences
  std::vector<std::string> keywords;
};

// The sidecar of a picture: NAME.jpg.toml, NAME.jpg.json, NAME.toml or NAME.json. None when there
// is none; BadInput when there are several.
std::optional<std::filesystem::path> find_sidecar(const std::filesystem::path& picture);

// Keys: title, author, author_url, source, source_url, license, license_url, keywords, changes.
// BadInput for malformed content (TOML with line and column), Refused for a credit that is not
// complete or whose license and license_url differ.
Sidecar read_sidecar(const std::filesystem::path& file);
Sidecar parse_sidecar_toml(const std::string& text, const std::string& what);
Sidecar parse_sidecar_json(const std::string& text, const std::string& what);

}  // namespace affiche::photos
