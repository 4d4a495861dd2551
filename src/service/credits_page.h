// SPDX-License-Identifier: Apache-2.0
// The ledger as a page for the site: who made each photograph on each card, under which licence,
// and what was done to it. Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "store/records.h"

namespace affiche::service {

using Ledger = std::vector<store::CreditEntry>;

// A table; each cell is safe as Markdown, HTML, or in a spreadsheet. HTML isolates names (<bdi>),
// so that those from right to left leave the others in place, and links web addresses only.
std::string credits_markdown(const Ledger& ledger);
std::string credits_html(const Ledger& ledger);
std::string credits_csv(const Ledger& ledger);
// An array of objects: id, job, card, card_sha256, photo, credit, card_license, line, site,
// evidence_sha256, at. Bytes that are no UTF-8 are replaced.
std::string credits_json(const Ledger& ledger);

}  // namespace affiche::service
