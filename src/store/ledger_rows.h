// SPDX-License-Identifier: Apache-2.0
// Writing the ledger inside somebody's transaction. For store/ only.
#pragma once

#include "store/database.h"
#include "store/records.h"

namespace affiche::store {

// Refused when the credit is incomplete: the ledger never holds half a credit.
void insert_credit(Connection& connection, const CreditEntry& entry, Millis now);

}  // namespace affiche::store
