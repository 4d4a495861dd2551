// SPDX-License-Identifier: Apache-2.0
// The credit and the origin of a card as XMP (by exempi) and as JSON. Both are made from the one
// record that the credit line on the card came from. Thread-safe.
#pragma once

#include <string>

#include "cards/compose.h"

namespace affiche::cards {

struct CardFacts {
  std::string title;        // the headline
  std::string description;  // of the picture; may be empty
  std::string alt_text;     // as og:image:alt; empty: the title
  std::string publisher;    // Brand::publisher
  std::string page_url;     // the page with the full credits; may be empty
  std::string created;      // ISO 8601, from the job's clock; empty: no date
  std::string language;     // BCP 47; empty: x-default only
  std::string software;     // "affiche 0.1.0"
};

// An XMP packet: creators, rights, credit, source, licensor, the photo as an ArtworkOrObject, and
// the IPTC digital source type (compositeSynthetic with a picture of the model, else composite).
std::string xmp_packet(const Composed& card, const CardFacts& facts);

// NAME.credits.json: the credit, the line as printed, and the recipes of the generated pictures.
std::string credits_json(const Composed& card, const CardFacts& facts);

// The digital source type of a card, as an IPTC newscode URI.
std::string digital_source_type(const Composed& card);

}  // namespace affiche::cards
