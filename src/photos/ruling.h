// SPDX-License-Identifier: Apache-2.0
// May this photograph be used? The answer as data: the decision, the rule that made it, and the
// evidence that it was made from. Pure functions, thread-safe.
#pragma once

#include <string>

#include "imaging/credit.h"
#include "photos/candidate.h"
#include "photos/licenses.h"

namespace affiche::photos {

struct Ruling {
  Decision decision;
  License license;
  std::string provider;
  std::string source_id;
  std::string claim;            // the licence in the provider's own words
  std::string evidence_sha256;  // of the provider's raw answer
  Millis evidence_at = 0;       // when that answer came
  Millis uploaded_at = 0;       // as told; 0: not told
  Millis decided_at = 0;
};

// Judges the record, in this order: evidence, the operator's lists, objections, the AI and mature
// flags, restrictions, the age, contradictions, the licence by decide(), the author. The first that
// refuses names the rule.
Ruling rule_on(const Candidate& candidate, const Policy& policy, Millis now);

// A word of photos.only or photos.never: a provider ("flickr"), a picture ("flickr:4459771899"), a
// source or author by name, a host ("example.org", subdomains included) or the beginning of a URL.
// Case does not count.
bool matches(const Candidate& candidate, const std::string& word);

// The credit of an allowed candidate: texts cleaned by plain_line(), never cut. A picture without a
// title is "Untitled"; one of the public domain without an author is by "Unknown author". Refused
// when a URL is none, or without what the licence wants.
Credit credit_of(const Candidate& candidate, const Ruling& ruling);

// JSON object; the reverse refuses what to_json() did not write (BadInput).
std::string to_json(const Ruling& ruling);
Ruling ruling_from_json(const std::string& text, const std::string& what);

}  // namespace affiche::photos
