// SPDX-License-Identifier: Apache-2.0
// Records as providers give them, complete and allowed; tests spoil one thing at a time.
#pragma once

#include "photos/candidate.h"

namespace affiche::test {

inline photos::Candidate a_candidate(const std::string& provider, const std::string& code) {
  photos::Candidate made;
  made.provider = provider;
  made.source = provider == "commons" ? "Wikimedia Commons" : "The " + provider;
  made.source_id = "17";
  made.title = "Lone tree";
  made.creator = "Ana Example";
  made.creator_url = "https://people.example/ana";
  made.landing_url = "https://www.photos.example/17";
  made.file_url = "https://files.photos.example/17.jpg";
  made.license.code = code;
  made.raw = "{\"id\":17}";
  made.raw_url = "https://api.photos.example/17";
  made.answered_at = 1'000;
  return made;
}

}  // namespace affiche::test
