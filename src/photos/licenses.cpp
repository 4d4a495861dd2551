// SPDX-License-Identifier: Apache-2.0
#include "photos/licenses.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

namespace affiche::photos {
namespace {

constexpr std::array<std::string_view, 6> kVersions = {"1.0", "2.0", "2.1", "2.5", "3.0", "4.0"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "CC BY-SA 3.0 de" -> cc, by, sa, 3.0, de; also splits the path of a deed's URL.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : lower(text) + " ") {
    if (c == ' ' || c == '-' || c == '_' || c == '/') {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else {
      word.push_back(c);
    }
  }
  return words;
}

License not_understood(std::string_view given) {
  License license;
  license.id = given;
  return license;
}

License public_domain(const char* id, const char* url) {
  License license;
  license.id = id;
  license.url = url;
  license.known = license.public_domain = true;
  return license;
}

License cc_zero() {
  return public_domain("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/");
}

License public_domain_mark() {
  return public_domain("PDM-1.0", "https://creativecommons.org/publicdomain/mark/1.0/");
}

// What is no Creative Commons licence and yet well known. SPDX ids where SPDX has one.
struct Other {
  std::string_view id;
  std::string_view url;
  enum class Kind { PublicDomain, NoneKnown, Held } kind;
};

constexpr std::array<Other, 10> kOthers = {{
    {"US-GOV", "https://www.usa.gov/government-copyright", Other::Kind::PublicDomain},
    {"LicenseRef-No-Known-Restrictions", "https://rightsstatements.org/vocab/NKC/1.0/",
     Other::Kind::NoneKnown},
    {"LicenseRef-Public-Domain", "https://commons.wikimedia.org/wiki/Commons:Copyright_tags",
     Other::Kind::Held},
    {"LicenseRef-Attribution", "https://commons.wikimedia.org/wiki/Template:Attribution",
     Other::Kind::Held},
    {"GFDL-1.2-or-later", "https://www.gnu.org/licenses/old-licenses/fdl-1.2.html",
     Other::Kind::Held},
    {"LAL-1.3", "https://artlibre.org/licence/lal/en/", Other::Kind::Held},
    {"OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
     Other::Kind::Held},
    {"LicenseRef-Unsplash", "https://unsplash.com/license", Other::Kind::Held},
    {"LicenseRef-Pexels", "https://www.pexels.com/license/", Other::Kind::Held},
    {"LicenseRef-Pixabay", "https://pixabay.com/service/license-summary/", Other::Kind::Held},
}};

License from_other(const Other& other) {
  License license;
  license.id = other.id;
  license.url = other.url;
  license.known = true;
  license.public_domain = other.kind == Other::Kind::PublicDomain;
  license.none_known = other.kind == Other::Kind::NoneKnown;
  license.held = other.kind == Other::Kind::Held;
  return license;
}

bool is_version(const std::string& word) {
  return std::find(kVersions.begin(), kVersions.end(), word) != kVersions.end();
}

bool is_jurisdiction(const std::string& word) {
  return word == "igo" ||
         (word.size() == 2 && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos);
}

// The words after "cc": elements, version, jurisdiction. Every word must be understood.
License creative_commons(std::span<const std::string> words, std::string_view given) {
  License license;
  license.creative_commons = true;
  bool attribution = false;
  bool understood = true;
  std::string jurisdiction;
  for (const std::string& word : words) {
    if (word == "by" && !attribution) {
      attribution = true;
    } else if (word == "nc") {
      license.noncommercial = true;
    } else if (word == "nd") {
      license.noderivatives = true;
    } else if (word == "sa") {
      license.sharealike = true;
    } else if (is_version(word) && license.version.empty()) {
      license.version = word;
    } else if (!license.version.empty() && jurisdiction.empty() && is_jurisdiction(word)) {
      jurisdiction = word;
    } else if (word != "international" && word != "unported") {
      understood = false;
    }
  }
  license.known = understood && attribution && !(license.noderivatives && license.sharealike);
  if (!license.known) {
    license.id = given;
    return license;
  }
  std::string elements = "by";
  if (license.noncommercial) elements += "-nc";
  if (license.noderivatives) elements += "-nd";
  if (license.sharealike) elements += "-sa";
  license.id = "CC-" + upper(elements);
  license.url = "https://creativecommons.org/licenses/" + elements + "/";
  if (license.version.empty()) return license;
  license.id += "-" + license.version;
  license.url += license.version + "/";
  if (!jurisdiction.empty()) {
    license.id += "-" + upper(jurisdiction);
    license.url += jurisdiction + "/";
  }
  return license;
}

License from_deed(std::string_view path, std::string_view given) {
  std::vector<std::string> words = words_of(path);
  while (!words.empty() &&
         (words.back().rfind("deed", 0) == 0 || words.back().rfind("legalcode", 0) == 0)) {
    words.pop_back();
  }
  if (words.size() >= 2 && words[0] == "publicdomain") {
    if (words[1] == "zero") return cc_zero();
    if (words[1] == "mark") return public_domain_mark();
  }
  if (!words.empty() && words[0] == "licenses") {
    return creative_commons(std::span(words).subspan(1), given);
  }
  return not_understood(given);
}

}  // namespace

License read_license(std::string_view text) {
  const std::string_view given = trimmed(text);
  const std::string folded = lower(given);
  for (const std::string_view start : {"https://", "http://"}) {
    std::string_view rest = folded;
    if (!rest.starts_with(start)) continue;
    rest.remove_prefix(start.size());
    if (rest.starts_with("www.")) rest.remove_prefix(4);
    constexpr std::string_view kHost = "creativecommons.org/";
    if (rest.starts_with(kHost)) return from_deed(rest.substr(kHost.size()), given);
    return not_understood(given);
  }
  const std::vector<std::string> words = words_of(given);
  if (words.empty()) return {};
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), folded) != names.end();
  };
  if (is({"cc0", "cc0-1.0", "cc0 1.0", "cc-zero", "cc zero", "cc0 1.0 universal"}))
    return cc_zero();
  if (is({"pdm", "pdm-1.0", "pdm 1.0", "cc-pdm-1.0", "public domain mark 1.0"})) {
    return public_domain_mark();
  }
  if (is({"us gov", "usgov"})) return from_other(kOthers[0]);
  for (const Other& other : kOthers) {
    if (folded == lower(other.id)) return from_other(other);
  }
  if (words[0] == "cc") return creative_commons(std::span(words).subspan(1), given);
  if (words[0] == "by") return creative_commons(words, given);
  return not_understood(given);
}

namespace {

// 4.0 makes the title a wish (section 3(a)(1)(A)); older ones and all others want it.
Decision allowed(std::string rule, std::string reason, const License& license) {
  Decision decision;
  decision.allowed = true;
  decision.rule = std::move(rule);
  decision.reason = std::move(reason);
  if (license.public_domain || license.none_known) return decision;
  decision.duties = {"author", "source", "license", "changes"};
  if (license.version != "4.0") decision.duties.insert(decision.duties.begin(), "title");
  if (license.sharealike) decision.card_license = license.id;
  return decision;
}

Decision refused(std::string rule, std::string reason) {
  Decision decision;
  decision.rule = std::move(rule);
  decision.reason = std::move(reason);
  return decision;
}

}  // namespace

Decision decide(const License& license, const Policy& policy) {
  if (license.id.empty()) return refused("missing", "no licence is given");
  if (license.noncommercial) {
    return refused("noncommercial", license.id + " forbids commercial use, advertising included");
  }
  if (license.noderivatives) {
    return refused("noderivatives", license.id + " forbids changes; a card crops and overlays");
  }
  if (license.public_domain) {
    return allowed("public domain", license.id + " needs no permission", license);
  }
  if (license.none_known) {
    return allowed("none known", "its keeper knows of no restriction", license);
  }
  for (const std::string& named : policy.also_allow) {
    if (read_license(named).id == license.id) {
      return allowed("also allowed", license.id + " is in photos.also_allow", license);
    }
  }
  if (license.held) {
    return refused("held", license.id + " (" + license.url +
                               ") waits until a person has read its terms and named it in "
                               "photos.also_allow");
  }
  if (!license.known) {
    return refused("unknown", "\"" + license.id +
                                  "\" is no licence that affiche knows; expected an id such as "
                                  "CC-BY-4.0, or add it to photos.also_allow");
  }
  if (license.version.empty()) {
    return refused("no version", license.id + " has no version; write it, such as CC-BY-4.0");
  }
  if (license.version != "4.0" && !policy.allow_old_versions) {
    return refused(
        "old version",
        license.id + " ends at the first mistake in a credit; photos.allow_old_versions is off");
  }
  if (license.sharealike && !policy.allow_sharealike) {
    return refused(
        "sharealike",
        license.id + " would put the card under the same licence; photos.allow_sharealike is off");
  }
  return allowed(license.sharealike ? "sharealike" : "attribution",
                 license.id + " allows use with its credit", license);
}

}  // namespace affiche::photos
