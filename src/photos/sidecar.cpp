// SPDX-License-Identifier: Apache-2.0
#include "photos/sidecar.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/toml.h"
#include "photos/licenses.h"

namespace affiche::photos {
namespace {

constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::size_t kMaxTextBytes = 500;
constexpr std::size_t kMaxKeywords = 100;

// Texts end up in pixels, XMP and terminals. Controls and bidirectional overrides (U+202A…202E,
// U+2066…2069) could make a credit read as something else.
bool is_plain_text(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    if (byte != 0xe2 || i + 2 >= text.size()) continue;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    const auto third = static_cast<unsigned char>(text[i + 2]);
    if (second == 0x80 && third >= 0xaa && third <= 0xae) return false;
    if (second == 0x81 && third >= 0xa6 && third <= 0xa9) return false;
  }
  return true;
}

void check_text(const std::string& value, const char* field, const std::string& what) {
  if (value.size() > kMaxTextBytes) {
    fail(Cause::BadInput, what, ": ", field, ": expected at most ", kMaxTextBytes, " bytes, found ",
         value.size());
  }
  if (!is_plain_text(value)) {
    fail(Cause::BadInput, what, ": ", field,
         ": expected one line without control characters or direction overrides");
  }
}

void check_url(const std::string& value, const char* field, const std::string& what) {
  check_text(value, field, what);
  const bool web = value.starts_with("https://") || value.starts_with("http://");
  if (!value.empty() && (!web || value.find_first_of(" \"<>\\") != std::string::npos)) {
    fail(Cause::BadInput, what, ": ", field, ": expected https://…, found \"", value, "\"");
  }
}

// One licence by id and by URL, or an error: a contradiction means that nobody knows.
void settle_license(Credit& credit, const std::string& what) {
  const License license = read_license(credit.license);
  const License linked = read_license(credit.license_url);
  if (license.known && linked.known && license.id != linked.id) {
    fail(Cause::Refused, what, ": license says ", license.id, " but license_url is that of ",
         linked.id, "; look it up at the source and correct one of them");
  }
  credit.license = license.id;
  if (credit.license_url.empty()) credit.license_url = license.url;
  if (credit.license_url.empty()) {
    fail(Cause::Refused, what, ": license: \"", license.id,
         "\" is no licence that affiche knows; correct it (such as CC-BY-4.0) or add license_url");
  }
}

Sidecar checked(Sidecar sidecar, const std::string& what) {
  Credit& credit = sidecar.credit;
  check_text(credit.title, "title", what);
  check_text(credit.author, "author", what);
  check_text(credit.source, "source", what);
  check_text(credit.license, "license", what);
  check_url(credit.author_url, "author_url", what);
  check_url(credit.source_url, "source_url", what);
  check_url(credit.license_url, "license_url", what);
  if (sidecar.keywords.size() > kMaxKeywords || credit.changes.size() > kMaxKeywords) {
    fail(Cause::BadInput, what, ": expected at most ", kMaxKeywords, " keywords and changes");
  }
  for (const std::string& word : sidecar.keywords) check_text(word, "keywords", what);
  for (const std::string& change : credit.changes) check_text(change, "changes", what);
  if (credit.license.empty()) {
    fail(Cause::Refused, what, ": license: no licence is given; write its SPDX id");
  }
  settle_license(credit, what);
  try {
    validate(credit);
  } catch (const Error& error) {
    fail(error.cause(), what, ": ", error.what());
  }
  return sidecar;
}

}  // namespace

std::optional<std::filesystem::path> find_sidecar(const std::filesystem::path& picture) {
  std::optional<std::filesystem::path> found;
  for (const char* ending : {".toml", ".json"}) {
    std::filesystem::path appended = picture;
    appended += ending;
    std::filesystem::path replaced = picture;
    replaced.replace_extension(ending);
    for (const auto& candidate : {appended, replaced}) {
      if (!std::filesystem::exists(candidate)) continue;
      if (found) {
        fail(Cause::BadInput, picture.string(), ": expected one sidecar, found ",
             found->filename().string(), " and ", candidate.filename().string());
      }
      found = candidate;
    }
  }
  return found;
}

Sidecar read_sidecar(const std::filesystem::path& file) {
  const std::string text = read_text(file, kMaxFileBytes);
  return file.extension() == ".json" ? parse_sidecar_json(text, file.string())
                                     : parse_sidecar_toml(text, file.string());
}

Sidecar parse_sidecar_toml(const std::string& text, const std::string& what) {
  const toml::table table = parse_toml(text, what);
  TomlReader reader(table, what);
  Sidecar sidecar;
  Credit& credit = sidecar.credit;
  credit.title = reader.text("title", "");
  credit.author = reader.text("author", "");
  credit.author_url = reader.text("author_url", "");
  credit.source = reader.text("source", "");
  credit.source_url = reader.text("source_url", "");
  credit.license = reader.text("license", "");
  credit.license_url = reader.text("license_url", "");
  credit.changes = reader.texts("changes");
  sidecar.keywords = reader.texts("keywords");
  reader.finish();
  return checked(std::move(sidecar), what);
}

Sidecar parse_sidecar_json(const std::string& text, const std::string& what) {
  Json json = parse_json(text, what);
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  Sidecar sidecar;
  if (const auto words = json.find("keywords"); words != json.end()) {
    const bool strings =
        words->is_array() &&
        std::all_of(words->begin(), words->end(), [](const Json& w) { return w.is_string(); });
    if (!strings) fail(Cause::BadInput, what, ": keywords: expected an array of strings");
    sidecar.keywords = words->get<std::vector<std::string>>();
    json.erase("keywords");
  }
  sidecar.credit = credit_from_json(json.dump(), what);
  return checked(std::move(sidecar), what);
}

}  // namespace affiche::photos
