// SPDX-License-Identifier: Apache-2.0
// Take-downs: a photograph that may not be shown any longer is never chosen again, and every card
// that shows it is made again without it. Thread-safe.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "photos/candidate.h"
#include "store/store.h"

namespace affiche::service {

// Refused, because of a take-down.
class TakenDownPhoto : public Error {
 public:
  explicit TakenDownPhoto(const std::string& message) : Error(Cause::Refused, message) {}
};

struct TakenDown {
  std::vector<std::string> targets;  // what is refused from now on
  std::set<std::string> photos;      // ids that it covers at present
  std::vector<store::AffectedCard> cards;
  std::vector<std::string> removed;  // files of cards that nobody will make again
};

// `target`: a photo's id (or its first 12 digits and more), the URL of its page or file, or
// PROVIDER:ID. A URL, record or whole hash that nothing here has is entered all the same, so that
// it never comes. Cards that no job will make again are withdrawn at once. NotFound for the
// beginning of an id that no photo has, Usage for the beginning of several and for anything else.
TakenDown take_down(store::Store& store, const std::string& target, const std::string& why);

// Removes the file at `path` and its credits when it still is, byte for byte, a card of the ledger
// that shows a photograph under a take-down. True when it was. A job that makes its card again does
// so first: until it has another photograph, and if it finds none, nothing stands there.
bool withdraw(const store::Store& store, const std::filesystem::path& path);

// What Store::revoked() is asked for a record, and for bytes in hand.
std::vector<std::string> targets_of(const photos::Candidate& candidate);
std::string target_of_photo(const std::string& id);
// TakenDownPhoto, with the day and the reason, when the bytes with this id are under a take-down.
void refuse_taken_down(const store::Store& store, const std::string& id, const std::string& what);

}  // namespace affiche::service
