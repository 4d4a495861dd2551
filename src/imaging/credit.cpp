// SPDX-License-Identifier: Apache-2.0
#include "imaging/credit.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace affiche {

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
  if (license.rfind("CC-", 0) != 0) return license;
  // "CC-BY-SA-4.0": the hyphens before the terms and the version are spaces, the others stay.
  std::string label = "CC " + license.substr(3);
  const std::size_t version = label.rfind('-');
  if (version != std::string::npos) label[version] = ' ';
  return label;
}

std::string credit_line(const Credit& credit) {
  std::string line = "Photo: " + credit.author;
  if (!credit.source.empty() && credit.source != credit.author) line += " / " + credit.source;
  line += " · " + license_label(credit.license);
  for (std::size_t i = 0; i < credit.changes.size(); ++i) {
    line += (i == 0 ? " · " : ", ") + credit.changes[i];
  }
  return line;
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
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& entry) { return entry.first == key; });
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
