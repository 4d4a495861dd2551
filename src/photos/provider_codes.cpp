// SPDX-License-Identifier: Apache-2.0
#include "photos/provider_codes.h"

#include <algorithm>
#include <array>

namespace affiche::photos {
namespace {

constexpr std::string_view kVersion = "{v}";
constexpr const char* kPeople = "its terms differ from case to case: a person must read them";

constexpr std::array kRows = {
    CodeRow{"openverse", "cc0", "CC0-1.0", ""},
    CodeRow{"openverse", "pdm", "PDM-1.0", ""},
    CodeRow{"openverse", "by", "CC-BY-{v}", "the version stands in license_version"},
    CodeRow{"openverse", "by-sa", "CC-BY-SA-{v}", ""},
    CodeRow{"openverse", "by-nc", "CC-BY-NC-{v}", ""},
    CodeRow{"openverse", "by-nd", "CC-BY-ND-{v}", ""},
    CodeRow{"openverse", "by-nc-sa", "CC-BY-NC-SA-{v}", ""},
    CodeRow{"openverse", "by-nc-nd", "CC-BY-NC-ND-{v}", ""},
    CodeRow{"openverse", "sampling+", "CC Sampling+ {v}", "retired; forbids advertising"},
    CodeRow{"openverse", "nc-sampling+", "CC NC-Sampling+ {v}", "retired; forbids commercial use"},
    CodeRow{"commons", "cc0", "CC0-1.0", ""},
    CodeRow{"commons", "cc-zero", "CC0-1.0", ""},
    CodeRow{"commons", "cc-pd-mark", "PDM-1.0", ""},
    CodeRow{"commons", "cc-by-{v}", "CC-BY-{v}", "also with a jurisdiction: cc-by-3.0-de"},
    CodeRow{"commons", "cc-by-sa-{v}", "CC-BY-SA-{v}", "likewise"},
    CodeRow{"commons", "pd", "LicenseRef-Public-Domain",
            "one code for many national rules, that of the US government among them; a person "
            "must look which"},
    CodeRow{"commons", "attribution", "LicenseRef-Attribution", kPeople},
    CodeRow{"commons", "gfdl", "GFDL-1.2-or-later", "wants its whole text beside the picture"},
    CodeRow{"commons", "fal", "LAL-1.3", "share-alike of its own kind"},
    CodeRow{"commons", "ogl", "OGL-UK-3.0", kPeople},
    CodeRow{"flickr", "0", "All rights reserved", ""},
    CodeRow{"flickr", "1", "CC-BY-NC-SA-2.0", ""},
    CodeRow{"flickr", "2", "CC-BY-NC-2.0", ""},
    CodeRow{"flickr", "3", "CC-BY-NC-ND-2.0", ""},
    CodeRow{"flickr", "4", "CC-BY-2.0", ""},
    CodeRow{"flickr", "5", "CC-BY-SA-2.0", ""},
    CodeRow{"flickr", "6", "CC-BY-ND-2.0", ""},
    CodeRow{"flickr", "7", "LicenseRef-No-Known-Restrictions",
            "the word of an institution of The Commons"},
    CodeRow{"flickr", "8", "US-GOV", ""},
    CodeRow{"flickr", "9", "CC0-1.0", ""},
    CodeRow{"flickr", "10", "PDM-1.0", ""},
    CodeRow{"flickr", "11", "CC-BY-4.0", ""},
    CodeRow{"flickr", "12", "CC-BY-SA-4.0", "13 and above forbid commercial use or changes"},
    CodeRow{"loc", "no known restrictions", "LicenseRef-No-Known-Restrictions",
            "in rights, rights_advisory or rights_information; any other words are refused"},
    CodeRow{"nasa", "", "US-GOV", "no licence is told; a credit to others is an objection"},
    CodeRow{"unsplash", "unsplash", "LicenseRef-Unsplash",
            "no free licence, and an API of its own terms"},
    CodeRow{"pexels", "pexels", "LicenseRef-Pexels", "likewise"},
    CodeRow{"pixabay", "pixabay-content", "LicenseRef-Pixabay", "likewise"},
};

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out.push_back(space ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string with_version(std::string_view id, std::string_view version) {
  const std::size_t at = id.find(kVersion);
  if (at == id.npos) return std::string(id);
  std::string out(id.substr(0, at));
  if (version.empty() && out.ends_with("-")) out.pop_back();
  return out.append(version);
}

// The Library writes sentences. One that goes on to name a restriction is not believed.
bool no_known_restrictions(const std::string& statement) {
  if (!statement.starts_with("no known restriction") &&
      !statement.starts_with("no known copyright restriction")) {
    return false;
  }
  for (const char* doubt : {"may be restricted", "may apply", "however", "except", "but "}) {
    if (statement.find(doubt) != statement.npos) return false;
  }
  return true;
}

const CodeRow* find_row(std::string_view provider, const std::string& code, std::string& version) {
  for (const CodeRow& row : kRows) {
    if (row.provider != provider) continue;
    if (row.code == code) return &row;
    if (!row.code.ends_with(kVersion)) continue;
    const std::string_view start = row.code.substr(0, row.code.size() - kVersion.size());
    const std::string_view rest =
        code.starts_with(start) ? std::string_view(code).substr(start.size()) : "";
    if (!rest.empty() && rest[0] >= '1' && rest[0] <= '9') {
      version = rest;
      return &row;
    }
  }
  return nullptr;
}

bool has_rows(std::string_view provider) {
  return std::any_of(kRows.begin(), kRows.end(),
                     [&](const CodeRow& row) { return row.provider == provider; });
}

License from_code(const LicenseClaim& claim, std::string_view provider) {
  if (!has_rows(provider)) {
    for (const std::string* text : {&claim.code, &claim.url, &claim.name}) {
      if (!text->empty()) return read_license(*text);
    }
    return {};
  }
  std::string code = folded(claim.code);
  std::string version = folded(claim.version);
  if (provider == "loc" && code.empty()) {
    code = folded(claim.statement);
    if (no_known_restrictions(code)) code = "no known restrictions";
  }
  if (const CodeRow* row = find_row(provider, code, version)) {
    return read_license(with_version(row->id, version));
  }
  // NC and ND stay what they are, also where the provider should not have them.
  const License guess = read_license(code);
  License unknown;
  unknown.noncommercial = guess.noncommercial;
  unknown.noderivatives = guess.noderivatives;
  if (!code.empty()) unknown.id = std::string(provider) + " " + code.substr(0, 200);
  return unknown;
}

std::string cell(std::string_view text) {
  return text.empty() ? "(none)" : "`" + std::string(text) + "`";
}

}  // namespace

std::span<const CodeRow> code_rows() {
  return kRows;
}

License read_claim(const LicenseClaim& claim, std::string_view provider) {
  License license = from_code(claim, provider);
  const License deed = read_license(claim.url);
  if (license.known && deed.known && deed.id.starts_with(license.id + "-")) return deed;
  return license;
}

bool contradicts_itself(const LicenseClaim& claim, std::string_view provider) {
  const License license = read_claim(claim, provider);
  const License deed = read_license(claim.url);
  return license.known && license.creative_commons && deed.known && license.id != deed.id;
}

std::string licenses_page() {
  std::string page =
      "# Licences of providers\n\n"
      "What the code of each provider becomes, and what the default policy says of it. A code that "
      "is in no row is refused.\n`{v}` is a version. The policy is in "
      "[configuration.md](configuration.md#which-licences-are-allowed). Made by `affiche photos "
      "licences`; a test compares.\n";
  std::string_view provider;
  for (const CodeRow& row : kRows) {
    if (row.provider != provider) {
      provider = row.provider;
      page += "\n## " + std::string(provider) +
              "\n| code | licence | deed or terms | by default | note |\n"
              "| --- | --- | --- | --- | --- |\n";
    }
    const License license = read_license(with_version(row.id, "4.0"));
    const Decision decision = decide(license, {});
    const bool versions = row.id.find(kVersion) != row.id.npos;
    std::string url = license.url;
    if (const std::size_t at = url.find("/4.0/"); at != url.npos && versions) {
      url.replace(at + 1, 3, "{v}");
    }
    page += "| " + cell(row.code) + " | " + cell(row.id) + " | " + url + " | " +
            (decision.allowed ? versions ? "4.0 only" : "allowed" : "refused: " + decision.rule) +
            " | " + std::string(row.note) + " |\n";
  }
  return page;
}

}  // namespace affiche::photos
