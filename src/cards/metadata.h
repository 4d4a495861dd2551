// SPDX-License-Identifier: Apache-2.0
// The credit and the origin of a card as XMP (by exempi) and as JSON. Both are made from the one
// record that the credit line on the card came from. Thread-safe.
#pragma once

#include <string>

#include "cards/compose.h"

namespace affiche::cards {

// What a photograph's own file says of its rights. Its EXIF (place, serial numbers) goes, this
// stays.
struct PhotoRights {
  std::string copyright;    // notice, from XMP or EXIF
  std::string credit;       // XMP photoshop:Credit
  std::string source_type;  // IPTC digital source type, a URI
  std::string web_statement;
  bool c2pa = false;  // a signed manifest (Content Credentials) was in the file
};
// Empty for files without, or with damaged records. Reads headers only.
PhotoRights read_photo_rights(const Photo& photo);

struct CardFacts {
  std::string title;        // the headline
  std::string description;  // of the picture; may be empty
  std::string alt_text;     // as og:image:alt; empty: the title
  std::string publisher;    // Brand::publisher
  std::string page_url;     // the page with the full credits; may be empty
  std::string created;      // ISO 8601, from the job's clock; empty: no date
  std::string language;     // BCP 47; empty: x-default only
  std::string software;     // "affiche 0.1.0"
  std::string document_id;  // stable name of the card; empty: none
  std::string photo_sha256;
  PhotoRights photo_rights;
  std::string content_url;  // where the file will be; empty: not known yet
};

// An XMP packet: creators, rights, credit, source, licensor, the photo as an ArtworkOrObject and as
// an ingredient, the IPTC digital source type, the AI system, and cc:license where the whole file
// is under that licence (a plain hero, a card with a share-alike photo).
std::string xmp_packet(const Composed& card, const CardFacts& facts);

// schema.org ImageObject with the fields that search engines read: creator, creditText,
// copyrightNotice, license, acquireLicensePage. A JSON object.
std::string json_ld(const Composed& card, const CardFacts& facts);

// NAME.credits.json: the credit, the line as printed, the recipes of the generated pictures, and
// json_ld().
std::string credits_json(const Composed& card, const CardFacts& facts);

// What the file is made of, as an IPTC newscode URI: compositeSynthetic with a picture of the
// model, composite without; of a plain hero what the photo's own file says, else digitalCapture,
// and humanEdits when its colours were changed.
std::string digital_source_type(const Composed& card, const CardFacts& facts);

}  // namespace affiche::cards
