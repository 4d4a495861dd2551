// SPDX-License-Identifier: Apache-2.0
// Every variant of a template with sample values on one sheet: sizes beside one another, a row for
// each of sample and long words, with and without a photo, from right to left, and each scheme.
// Nothing is fetched or generated: backgrounds are drawn, and the photo is a drawn stand-in unless
// one is given.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cards/compose.h"

namespace affiche::service {

struct PreviewCase {
  std::string name;  // "long, no photo, dark"
  bool with_photo = true;
  std::map<std::string, std::string> variables;
  std::string language;
};

struct PreviewOptions {
  std::optional<Photo> photo;
  bool all = true;       // false: only the sample values, with a photo where the template takes one
  int height = 260;      // pixels of a card on the sheet
  bool overlay = false;  // boxes, baselines, safe zones, contrast figures
  std::vector<PreviewCase> data = {};  // shown before those of preview_cases()
};

// What the sheet shows, in its order.
std::vector<PreviewCase> preview_cases(const cards::Template& card, const cards::Brand& brand,
                                       bool all);

// Cases with the values of a JSON file: an object of variables or a job with "set", or a list of at
// most 50 of these. BadInput, naming the file, for anything else.
std::vector<PreviewCase> data_cases(const std::filesystem::path& file, const cards::Template& card);

// One case in one size. Errors as cards::compose().
cards::Composed preview_card(const cards::Template& card, const cards::Brand& brand,
                             const PreviewCase& which, const PreviewOptions& options);

struct PreviewSheet {
  Image image;
  std::vector<std::string> rows;    // what each row shows
  std::vector<std::string> errors;  // "size, case: message": that place stays empty
};
PreviewSheet preview_sheet(const cards::Template& card, const cards::Brand& brand,
                           const PreviewOptions& options);

// The layers' boxes with their names, the baselines, the safe zone, and the contrast under each
// text, drawn on a card.
Image preview_overlay(const cards::Composed& made, const cards::Template& card,
                      const cards::Brand& brand);

}  // namespace affiche::service
