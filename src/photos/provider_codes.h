// SPDX-License-Identifier: Apache-2.0
// What the codes by which each provider names licences mean: one row a code, and what is in no row
// is refused. docs/licences.md is printed from this table. Pure functions, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "photos/candidate.h"
#include "photos/licenses.h"

namespace affiche::photos {

// `code` may end in "{v}": a version and perhaps a jurisdiction stand there. With `id` ending in
// "{v}" and a code that does not, the version stands in a field of its own.
struct CodeRow {
  std::string_view provider;
  std::string_view code;  // lower case, as the provider writes it; empty: it writes nothing
  std::string_view id;    // normal form, for read_license()
  std::string_view note;  // for people
};

std::span<const CodeRow> code_rows();

// The normal form of what a provider claims. Not known when no row fits; empty id when nothing is
// claimed. Providers without rows ("folder", "article") write licences as sidecars do. A deed's URL
// that only adds a jurisdiction to the code is believed.
License read_claim(const LicenseClaim& claim, std::string_view provider);

// Whether the code and the deed's URL name two different licences.
bool contradicts_itself(const LicenseClaim& claim, std::string_view provider);

// docs/licences.md, whole.
std::string licenses_page();

}  // namespace affiche::photos
