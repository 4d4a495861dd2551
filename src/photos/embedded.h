// SPDX-License-Identifier: Apache-2.0
// Whose a picture is by what is written inside it: XMP, and the older IPTC fields, which the XMP
// toolkit reads as XMP. Only a licence that affiche knows counts; a notice such as "© Jane" is
// none.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "photos/sidecar.h"

namespace affiche::photos {

struct Embedded {
  Sidecar sidecar;
  std::string xmp;  // as it stands in the file, or was made of its IPTC: the evidence
};

// Nothing when the file holds no licence. Refused when it says that a model made the picture, or
// when what it says is no complete credit. Thread-safe.
std::optional<Embedded> read_embedded(const std::filesystem::path& picture);

}  // namespace affiche::photos
