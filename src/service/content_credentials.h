// SPDX-License-Identifier: Apache-2.0
// Content Credentials (C2PA): signed statements of how a card was made, by c2patool and the
// operator's own key. Without both nothing is signed; a file that should be signed and can't be is
// an error, and no file ever carries the tool's test certificate.
#pragma once

#include <optional>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "cards/compose.h"
#include "cards/encode.h"
#include "service/config.h"

namespace affiche::service {

class ContentCredentials {
 public:
  explicit ContentCredentials(const SigningSettings& settings) : settings_(settings) {}
  bool on() const { return !settings_.tool.empty(); }
  // What to tell the operator once: "off: …", or by which certificate files are signed.
  std::string status() const;

  // The file with a manifest: made of parts, or opened and cropped for a plain hero, the photograph
  // as an ingredient with the credentials that it brings itself. `source_type`:
  // cards::digital_source_type(). The file itself when off. Unavailable when the tool fails, takes
  // more than a minute, or returns what is not this picture with a manifest.
  Bytes sign(const Bytes& file, cards::Format format, const cards::Composed& card,
             const std::optional<Photo>& photo, const std::string& title,
             const std::string& source_type) const;

 private:
  SigningSettings settings_;
};

// The manifest definition that c2patool reads. `ingredient`: its definition file and its id, both
// empty without a photograph.
Json manifest_definition(const SigningSettings& settings, const cards::Composed& card,
                         const std::string& title, const std::string& source_type,
                         const std::string& ingredient_file, const std::string& ingredient_id);

}  // namespace affiche::service
