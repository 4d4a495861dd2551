// SPDX-License-Identifier: Apache-2.0
// Which licences a photograph may have to be used on a card. The reasons are in
// docs/configuration.md, what each provider's codes become in docs/licences.md; every row has a
// test. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace affiche::photos {

// What the operator allows beyond the default (CC0-1.0, PDM-1.0, US-GOV, CC-BY-4.0).
struct Policy {
  bool allow_old_versions = false;      // CC BY 1.0 to 3.0, which end at the first breach
  bool allow_sharealike = false;        // CC BY-SA: the card must then carry the same licence
  std::vector<std::string> also_allow;  // further SPDX ids by name; never NC or ND
  // Rights beside copyright that may stand against a picture: its subject's personality is no
  // hindrance to editorial use; trademarks, insignia and others wait for a person.
  std::vector<std::string> restrictions = {"personality"};
  bool allow_mature = false;  // pictures that their provider flags
  // A picture that came to its provider later is refused: copies of others' pictures under a free
  // licence are mostly found and deleted within days. 0: any age will do.
  int minimum_age_days = 7;
  bool require_upload_date = false;  // refuse also what tells no date to know its age by
  bool require_origin = false;       // refuse an index's word where its origin can't be asked
  std::vector<std::string> only;     // what a picture must match; empty: anything
  std::vector<std::string> never;    // what no picture may match
};

struct License {
  std::string id;       // "CC-BY-4.0": SPDX where SPDX has it, else as given
  std::string url;      // of the deed or text; empty when unknown
  std::string version;  // "4.0"; empty when the licence has none
  bool known = false;   // one of our table
  bool creative_commons = false;
  bool noncommercial = false;
  bool noderivatives = false;
  bool sharealike = false;
  bool public_domain = false;  // no permission needed
  bool none_known = false;     // an institution knows of no restriction, and promises nothing
  bool held = false;           // known, but a person must have read its terms: photos.also_allow
};

// Understands SPDX ids, Creative Commons short forms ("cc by-sa 3.0", "by/4.0", "CC0"), deed URLs
// and the LicenseRef- ids of the table. An id that is not understood comes back unchanged with
// known == false.
License read_license(std::string_view text);

struct Decision {
  bool allowed = false;
  std::string rule;    // short name of the table row that decided: "noncommercial"
  std::string reason;  // one sentence for people
  // What the licence wants of who uses it: "title", "author", "source", "license", "changes". Empty
  // for the public domain, whose source is named all the same.
  std::vector<std::string> duties;
  std::string card_license;  // that the whole card falls under; empty: the publisher's own choice
};

Decision decide(const License& license, const Policy& policy);

}  // namespace affiche::photos
