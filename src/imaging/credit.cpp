// SPDX-License-Identifier: Apache-2.0
#include "imaging/credit.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace affiche {
namespace {

constexpr std::pair<const char*, const char*> kLabels[] = {
    {"US-GOV", "Public Domain (US Government)"},
    {"LicenseRef-No-Known-Restrictions", "No known restrictions"},
    {"LicenseRef-Public-Domain", "Public Domain"},
    {"LicenseRef-Attribution", "Attribution"},
    {"LicenseRef-Unsplash", "Unsplash License"},
    {"LicenseRef-Pexels", "Pexels License"},
    {"LicenseRef-Pixabay", "Pixabay Content License"},
};

bool runs_right_to_left(char32_t c) {
  return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) ||
         (c >= 0xfe70 && c <= 0xfefe) || (c >= 0x10800 && c <= 0x10fff) ||
         (c >= 0x1e800 && c <= 0x1efff);
}

// Two neighbours from right to left would be shown in one run, the source before the author, and
// take the punctuation between them along. A mark (U+200E) after each name keeps the order.
std::string kept_in_place(const std::string& name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto lead = static_cast<unsigned char>(name[i]);
    if (lead < 0xc0) continue;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    char32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < name.size(); ++k) {
      code = code << 6 | (static_cast<unsigned char>(name[i + k]) & 0x3f);
    }
    if (runs_right_to_left(code)) return name + "\xe2\x80\x8e";
  }
  return name;
}

// CC BY before 4.0 ends at the first omission, and wants the title wherever the author is named.
bool wants_title(const Credit& credit) {
  return credit.license.starts_with("CC-BY-") && credit.license.find("-4.0") == std::string::npos &&
         !credit.title.empty() && credit.title != "Untitled";
}

}  // namespace

void validate(const Credit& credit) {
  const std::pair<const char*, const std::string*> required[] = {
      {"title", &credit.title},
      {"author", &credit.author},
      {"license", &credit.license},
      {"license_url", &credit.license_url}};
  for (const auto& [field, value] : required) {
    if (value->empty()) {
      fail(Cause::Refused, "photo \"", credit.title, "\": the credit has no ", field,
           "; a photograph is used only with a complete credit, add the field");
    }
  }
}

std::string license_label(const std::string& license) {
  if (license == "CC0-1.0") return "CC0 1.0";
  if (license == "CC-PDDC" || license == "PDM-1.0") return "Public Domain";
  for (const auto& [id, label] : kLabels) {
    if (license == id) return label;
  }
  if (license.rfind("CC-", 0) != 0) return license;
  // "CC-BY-SA-4.0": the hyphens before the terms and the version are spaces, the others stay.
  std::string label = "CC " + license.substr(3);
  const std::size_t version = label.rfind('-');
  if (version != std::string::npos) label[version] = ' ';
  return label;
}

std::string credit_line(const Credit& credit) {
  std::string line = "Photo: ";
  if (wants_title(credit)) line += "“" + kept_in_place(credit.title) + "” by ";
  line += kept_in_place(credit.author);
  if (!credit.source.empty() && credit.source != credit.author) {
    line += " / " + kept_in_place(credit.source);
  }
  line += " · " + license_label(credit.license);
  for (std::size_t i = 0; i < credit.changes.size(); ++i) {
    line += (i == 0 ? " · " : ", ") + credit.changes[i];
  }
  return line;
}

std::string card_license(const Credit& credit) {
  return credit.license.starts_with("CC-BY-SA-") ? credit.license : "";
}

std::string to_json(const Credit& credit) {
  Json json = {{"title", credit.title},
               {"author", credit.author},
               {"author_url", credit.author_url},
               {"source", credit.source},
               {"source_url", credit.source_url},
               {"license", credit.license},
               {"license_url", credit.license_url},
               {"changes", credit.changes}};
  return json.dump();
}

Credit credit_from_json(const std::string& text, const std::string& what) {
  const Json json = parse_json(text, what);
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  Credit credit;
  const std::vector<std::pair<std::string, std::string*>> fields = {
      {"title", &credit.title},
      {"author", &credit.author},
      {"author_url", &credit.author_url},
      {"source", &credit.source},
      {"source_url", &credit.source_url},
      {"license", &credit.license},
      {"license_url", &credit.license_url}};
  std::vector<std::string> known = {"changes"};
  for (const auto& [field, value] : fields) known.push_back(field);
  for (const auto& [key, value] : json.items()) {
    // Clang 14 captures no structured binding.
    const auto field = std::find_if(fields.begin(), fields.end(), [&name = key](const auto& entry) {
      return entry.first == name;
    });
    if (key == "changes" && value.is_array() &&
        std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_string(); })) {
      credit.changes = value.get<std::vector<std::string>>();
    } else if (field != fields.end() && value.is_string()) {
      *field->second = value.get<std::string>();
    } else if (field != fields.end() || key == "changes") {
      fail(Cause::BadInput, what, ": ", key, ": expected ",
           key == "changes" ? "an array of strings" : "a string", ", found ", value.type_name());
    } else {
      fail(Cause::BadInput, what, ": unknown key \"", key, "\"", suggestion(key, known));
    }
  }
  return credit;
}

}  // namespace affiche
