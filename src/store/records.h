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
  Credit credit;     // as printed, with the changes that were made
  std::string line;  // the text on the card
  Millis at = 0;     // 0: the store takes the time
};

}  // namespace affiche::store
