// SPDX-License-Identifier: Apache-2.0
// A place that photographs come from: words to candidates with their full records, a candidate to
// its bytes. Whether a candidate may be used is decided elsewhere (licenses.h), on its record.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "photos/candidate.h"

namespace affiche::photos {

enum class Shape { Any, Landscape, Portrait, Square };

struct Wanted {
  std::string query;         // words
  int count = 20;            // candidates asked for; a provider's own bound may be lower
  Shape shape = Shape::Any;  // told to providers that can filter; the others answer any shape
  int least_width = 0;       // pixels; told likewise
  std::string language;      // "de" where the provider searches by language; empty: its default
};

// The bytes of a photograph, looked at from outside only: magic, size, limits. Decoding comes
// later.
struct Fetched {
  Bytes bytes;
  std::string sha256;      // of the bytes
  std::string media_type;  // by the bytes: image/jpeg, image/png, image/webp
  int width = 0;           // pixels as stored, by the bytes
  int height = 0;
  std::string url;        // that answered at last
  Millis fetched_at = 0;  // when the bytes came over the network; 0: from this machine
  bool cached = false;    // nothing, or only a revalidation, went over the network
};

// Thread-safe. Every call ends in bounded time and throws Error: Unavailable (the provider is down,
// says to come later, or its rate is used up: another provider, or later), NotFound (no such
// picture), Refused (a rule, a limit or a missing key forbids it), BadInput (an answer that is not
// what the provider documents), Cancelled.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual const std::string& name() const = 0;  // key of [photos.providers.…]
  // In the provider's order; empty when nothing matches. Records that can't be read are left out.
  virtual std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) = 0;
  // The record as it is today, by Candidate::source_id, or by the URL of the picture's page.
  virtual Candidate lookup(const std::string& id, std::stop_token stop) = 0;
  // Whether this URL is a page or picture of this provider, so that lookup() can take it.
  virtual bool knows(const std::string& url) const = 0;
  virtual Fetched fetch(const Candidate& candidate, std::stop_token stop) = 0;
  // A small copy for people who choose; NotFound where there is none.
  virtual Fetched thumbnail(const Candidate& candidate, std::stop_token stop) {
    return fetch(candidate, stop);
  }
  // Tells the provider that the picture is used, where its terms want to know. Once a use. Of the
  // record, source_id and raw are enough: a photograph of the library has no more.
  virtual void used(const Candidate& candidate, std::stop_token stop) = 0;
};

}  // namespace affiche::photos
