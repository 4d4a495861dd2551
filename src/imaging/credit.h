// SPDX-License-Identifier: Apache-2.0
// Who made a photograph and under which licence it may be used. A credit is complete by
// construction: validate() is the one gate, and Photo calls it.
#pragma once

#include <string>
#include <vector>

namespace affiche {

struct Credit {
  std::string title;
  std::string author;
  std::string author_url;  // may be empty
  std::string source;      // "Wikimedia Commons", "mate-backgrounds"
  std::string source_url;  // landing page; may be empty only for the operator's own pictures
  std::string license;     // SPDX id: "CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", …
  std::string license_url;
  std::vector<std::string> changes;  // "cropped", "colours graded": what was done to the picture

  bool operator==(const Credit&) const = default;
};

// Throws Refused, naming the missing field: title, author, license and license_url must be set.
void validate(const Credit& credit);

// "CC BY 4.0" for "CC-BY-4.0", words for other licences that affiche knows; others are returned as
// they are.
std::string license_label(const std::string& license);

// The line for the card: "Photo: NAME / SOURCE · CC BY 4.0 · cropped"; for Creative Commons
// licences before 4.0 "Photo: “TITLE” by NAME / …". The source is left out when empty, the changes
// when there are none. A name that runs from right to left is followed by U+200E.
std::string credit_line(const Credit& credit);

// The licence that the card as a whole falls under because of this photo (share-alike: an adapted
// photo is shared under its own licence). Empty: the publisher's own choice.
std::string card_license(const Credit& credit);

// JSON object with the field names above; the reverse refuses unknown keys (BadInput).
std::string to_json(const Credit& credit);
Credit credit_from_json(const std::string& text, const std::string& what);

}  // namespace affiche
