// SPDX-License-Identifier: Apache-2.0
// What a provider says about one photograph, before anybody decided whether it may be used and
// before its bytes came. Nothing in it is to be trusted: it is what the licence rules judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace affiche::photos {

// The licence as the provider gives it, never normalised here: normalising is the licence engine's
// part, and the raw words are evidence.
struct LicenseClaim {
  std::string code;       // "cc-by-sa-4.0" (Commons), "by" (Openverse), "4" (Flickr); empty: none
  std::string version;    // where it stands apart from the code: "4.0" (Openverse)
  std::string name;       // "CC BY-SA 4.0"
  std::string url;        // of the deed
  std::string statement;  // rights in words: "No known restrictions on publication."
  // Reasons against any use that stand beside the licence, in the provider's words: "NonFree",
  // "DeletionReason: …", "access_restricted", "third-party credit: …".
  std::vector<std::string> objections;
};

enum class MadeByAi { Unknown, No, Yes };

// Texts are one line of UTF-8 without markup: tags taken out, entities read, white space folded.
// They may still hold direction overrides and be of any length up to kMaxCandidateText bytes: the
// credit's own gate cleans and checks them.
struct Candidate {
  std::string provider;   // key of [photos.providers.…]: "commons", "openverse", "loc", "nasa",
                          // "flickr", "unsplash", "pexels", "pixabay", "pictures", "article";
                          // "folder" of what was imported
  std::string source;     // whom the credit names: "Wikimedia Commons", "Flickr"; an index such as
                          // Openverse names the place it found the picture at ("stocksnap")
  std::string source_id;  // the provider's own id: lookup() takes it
  std::string title;      // may be empty, so may all texts below
  std::string creator;
  std::string creator_url;
  std::string attribution;  // credit in the author's own words, where the provider has such a field
  std::string landing_url;  // page of the picture for people
  std::string description;
  std::vector<std::string> keywords;

  LicenseClaim license;
  std::vector<std::string> restrictions;  // beside copyright: "personality", "trademarked", …
  MadeByAi ai = MadeByAi::Unknown;
  bool mature = false;       // flagged by the provider
  bool indexed = false;      // the provider is an index: its word on the licence is second-hand
  std::string origin_check;  // for an index: provider key whose record counts ("commons"), or empty

  std::string file_url;    // what fetch() gets; may be a smaller copy than width × height
  std::string media_type;  // as told; the bytes decide
  int width = 0;   // pixels as told, of the file at file_url where that is known; 0: unknown
  int height = 0;  // pixels
  std::uint64_t bytes = 0;    // size of the file as told; 0: unknown
  std::string sha1;           // of the original as told (Commons); lower-case hex, or empty
  std::string thumbnail_url;  // a small copy for contact sheets; may be empty
  std::string use_url;        // to be asked when the picture is used (Unsplash); empty: nothing

  // When it came to its provider; 0: not told. What came yesterday, nobody has looked at yet.
  Millis uploaded_at = 0;
  std::vector<std::string> changes;  // made to it before it came here, as its sidecar says

  std::string raw;         // the provider's answer for this picture, as JSON: the evidence
  std::string raw_url;     // that it came from, without keys
  Millis answered_at = 0;  // when it came
};

inline constexpr std::size_t kMaxCandidateText = 4096;

}  // namespace affiche::photos
