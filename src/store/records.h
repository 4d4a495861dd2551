// SPDX-License-Identifier: Apache-2.0
// Photographs of the local library and the ledger of their uses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "imaging/credit.h"

namespace affiche::store {

// The encoded bytes lie in the artifact folder under the photo's id.
struct PhotoRecord {
  std::string id;  // SHA-256 of the encoded bytes
  Credit credit;
  std::vector<std::string> keywords;
  int width = 0;           // pixels
  int height = 0;          // pixels
  std::string media_type;  // "image/jpeg"
  Millis imported_at = 0;  // 0: put_photo() takes the time
};

// One use of one photo on one finished file. Rows are only ever added; they outlive their job.
struct CreditEntry {
  std::int64_t id = 0;                 // given by the store
  std::optional<std::int64_t> job_id;  // empty for a card that was made without a job
  std::string card_path;
  std::string card_sha256;
  std::string photo_id;
  Credit credit;                // as printed, with the changes that were made
  std::string line;             // the text on the card
  Millis at = 0;                // 0: the store takes the time
  std::string site;             // whose card it is; may be empty
  std::string evidence_sha256;  // of the provider's answer that allowed it; empty: none was kept
};

// What a provider said of a photograph, word for word, and the ruling on it.
struct Evidence {
  std::int64_t id = 0;  // given by the store
  std::string photo_id;
  std::string provider;   // "commons"; "folder" for a sidecar
  std::string source_id;  // the provider's id
  std::string page_url;
  std::string file_url;
  std::string ruling;  // JSON: photos::Ruling
  std::string raw;     // the answer
  std::string sha256;  // of `raw`; the store fills it in
  Millis at = 0;       // when the answer came
};

// A take-down. Targets: "sha256:" and the photo's id, "url:" and a page or file, "PROVIDER:ID".
struct Revocation {
  std::string target;
  std::string why;
  Millis at = 0;
};

// What a take-down means for one file, or for a job that had published none.
struct AffectedCard {
  std::int64_t job_id = 0;  // 0: no job is left that could make the card again
  std::string card_path;    // empty: the job had not published yet
  bool queued = false;      // the job makes it again: it waits, or is at work
};

// What was measured on a photograph's pixels; see photos/measures.h.
struct Measures {
  std::uint64_t print = 0;
  double focus = 0;
  double exposure = 0;
};

// A photograph that a site used.
struct Use {
  std::string photo_id;
  std::string author;
  Millis at = 0;
};

}  // namespace affiche::store
