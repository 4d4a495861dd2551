// SPDX-License-Identifier: Apache-2.0
// Asks again, for every photograph that the ledger has on a card, what its provider says today.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "photos/licenses.h"
#include "photos/provider.h"
#include "store/store.h"

namespace affiche::service {

struct Audited {
  enum class State {
    Same,     // the provider says what it said
    Changed,  // another licence, author, title or page; still allowed
    Refused,  // today's record or policy does not allow it
    Gone,     // the provider has no such picture any more
    Unasked,  // no provider to ask: a folder, or one that is not switched on
    Failed,   // the provider did not answer
  };
  std::string photo_id;
  std::string provider;
  std::string source_id;
  std::string title;
  int cards = 0;  // ledger rows
  State state = State::Unasked;
  std::string detail;  // what changed, which rule, or why there is no answer
};

const char* name(Audited::State state) noexcept;  // "same", …

// In the order of first use; photographs under a take-down are left out. Every answer is kept as
// new evidence. Changes nothing else: what follows is the operator's decision. Cancelled once
// `stop` is requested.
std::vector<Audited> audit_photos(store::Store& store, const photos::Policy& policy,
                                  std::span<photos::Provider* const> providers,
                                  std::stop_token stop = {});

}  // namespace affiche::service
