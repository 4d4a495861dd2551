// SPDX-License-Identifier: Apache-2.0
// One function, visit(), names every key once; reading and describing are two visitors of it, so a
// key can be neither undocumented nor unread.
#include "service/config.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "photos/providers/providers.h"
#include "service/outputs.h"

namespace affiche::service {
namespace {

template <typename Visitor>
void visit_provider(const photos::ProviderKind& kind, ProviderConfig& p, Visitor& v) {
  v.table("photos.providers." + std::string(kind.name));
  if (kind.name == "article") {
    v.texts("sites", p.sites, "hosts of your own pages, whose og:image may be used");
    v.text("license", p.license, "the licence that you declare for their pictures");
    v.text("author", p.author, "whom they are credited to");
    v.text("source", p.source, "where they are from, for the credit; empty: the host");
    return;
  }
  if (kind.name == "pictures") {
    v.optional_path("folder", p.folder, "pictures with sidecars, looked at with every search");
    return;
  }
  v.text("base_url", p.base_url, "its API; empty: the provider's own");
  v.integer("requests_per_hour", p.requests_per_hour, 0, 1'000'000,
            "how often it may be asked; 0: as usual there");
  if (kind.terms) v.flag("accept_terms", p.accept_terms, "you read its terms, and they fit");
  if (kind.name == "unsplash") v.text("app", p.app, "name as registered there, told in links");
}

template <typename Visitor>
void visit_fetching(PhotoSettings& p, Visitor& v) {
  v.texts("order", p.order, "who is asked for a photograph, first to last");
  v.path("cache", p.cache, "folder of what came from providers");
  v.integer("cache_limit_mib", p.cache_limit_mib, 0, 1 << 30,
            "size of that folder, in MiB; what was used least recently goes; 0: no limit");
  v.flag("offline", p.offline, "ask no provider, use what is kept");
  v.flag("allow_http", p.allow_http, "also pictures over http://, which anybody may change");
  v.texts("allow_hosts", p.allow_hosts, "your own servers in private networks, as host:port");
  v.integer("patience_seconds", p.patience_seconds, 0, 86'400,
            "a provider that may not be asked sooner is passed over");
  v.flag("sandbox", p.sandbox, "decode fetched pictures in a process that can do nothing else");
  for (const photos::ProviderKind& kind : photos::provider_kinds()) {
    visit_provider(kind, p.providers[std::string(kind.name)], v);
  }
}

template <typename Visitor>
void visit(Config& c, Visitor&& v) {
  v.table("site");
  v.text("name", c.site.name, "publisher's name, written into the card's metadata");
  v.text("url", c.site.url, "home page of the site, https://…");
  v.text("contact", c.site.contact, "operator's address, told to web services that ask for one");
  v.table("paths");
  v.path("database", c.paths.database, "SQLite file with jobs, photos and credits");
  v.path("artifacts", c.paths.artifacts, "folder of pictures, named by their content");
  v.path("output", c.paths.output, "folder for cards of jobs that name none");
  v.path("templates", c.paths.templates, "folder of templates");
  v.path("brands", c.paths.brands, "folder of brands");
  v.path("models", c.paths.models, "folder against which names of models and LoRA files resolve");
  v.table("work");
  v.integer("workers", c.work.workers, 1, 64, "jobs worked on at the same time");
  v.integer("threads", c.work.threads, 0, 1024, "threads of one generation; 0: all cores");
  v.integer("lease_seconds", c.work.lease_seconds, 5, 86400,
            "a worker that is silent for so long loses its job");
  v.integer("max_attempts", c.work.max_attempts, 1, 100, "tries of a job, crashes included");
  v.integer("poll_ms", c.work.poll_ms, 10, 60000, "pause between looks at an empty queue");
  v.integer("shutdown_seconds", c.work.shutdown_seconds, 0, 3600,
            "time to finish jobs after SIGTERM before they go back to the queue");
  v.table("photos");
  v.flag("allow_old_versions", c.photos.policy.allow_old_versions,
         "also use CC BY 1.0 to 3.0, which end at the first mistake in a credit");
  v.flag("allow_sharealike", c.photos.policy.allow_sharealike,
         "also use CC BY-SA: the card is then under the same licence");
  v.texts("also_allow", c.photos.policy.also_allow, "further licences by SPDX id; never NC or ND");
  v.texts("restrictions", c.photos.policy.restrictions,
          "rights beside copyright that may stand against a picture");
  v.flag("allow_mature", c.photos.policy.allow_mature, "also pictures that their provider flags");
  v.integer("minimum_age_days", c.photos.policy.minimum_age_days, 0, 36'500,
            "what came to its provider later is refused, in days; 0: any age will do");
  v.flag("require_upload_date", c.photos.policy.require_upload_date,
         "refuse what tells no date to know its age by");
  v.flag("require_origin", c.photos.policy.require_origin,
         "refuse an index's word where its origin can't be asked");
  v.texts("only", c.photos.policy.only, "what a picture must match; empty: anything");
  v.texts("never", c.photos.policy.never, "what no picture may match");
  v.integer("rest_days", c.photos.rest_days, 0, 3650,
            "days in which a site uses a photograph again only when nothing else fits");
  v.integer("min_width", c.photos.min_width, 1, 32768, "narrower pictures are refused, in pixels");
  v.integer("max_megapixels", c.photos.max_megapixels, 1, 1000, "larger pictures are refused");
  v.integer("max_file_mib", c.photos.max_file_mib, 1, 512, "larger files are refused, in MiB");
  visit_fetching(c.photos, v);
  v.table("cards");
  v.texts("outputs", c.cards.outputs, "files of a job that names none; empty: one JPEG");
  v.table("c2pa");
  v.optional_path("tool", c.c2pa.tool, "c2patool; empty: cards are not signed");
  v.optional_path("certificate", c.c2pa.certificate, "PEM file, the signer's certificate first");
  v.optional_path("key", c.c2pa.key, "PEM file with its private key");
  v.text("algorithm", c.c2pa.algorithm, "of the key");
  v.text("timestamp_url", c.c2pa.timestamp_url, "RFC 3161 authority; empty: no time stamps");
  v.table("models");
  v.text("endpoint", c.models.endpoint, "hub that hub:OWNER/NAME is fetched from");
  v.optional_path("cache", c.models.cache, "folder of fetched models");
  v.integer("cache_limit_mib", c.models.cache_limit_mib, 0, 1 << 30,
            "size of that folder, in MiB; least recently used models go; 0: no limit");
  v.flag("offline", c.models.offline, "fetch nothing, answer from the cache");
  v.table("network");
  v.text("proxy", c.network.proxy, "proxy of everything that is fetched, http://host:port");
}

// Fills the configuration from TOML; tables that are missing keep their defaults.
class Reading {
 public:
  Reading(TomlReader& root, std::filesystem::path folder)
      : root_(root), folder_(std::move(folder)) {}
  ~Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  // "photos", or a table within it: "photos.providers.commons".
  void table(const std::string& key) {
    if (reader_) reader_->finish();
    reader_.emplace(key.starts_with(kProviders) ? provider(key) : below(root_, key));
    if (key == "photos") photos_.emplace(below(root_, key));
    if (key == "photos") reader_->table("providers");  // read below
  }
  void text(const char* key, std::string& value, const char*) { value = reader_->text(key, value); }
  void path(const char* key, std::filesystem::path& value, const char*) {
    const std::string given = reader_->text(key, value.string());
    if (given.empty()) reader_->refuse(key, "expected a path, found an empty string");
    value = (folder_ / given).lexically_normal();
  }
  void optional_path(const char* key, std::filesystem::path& value, const char*) {
    const std::string given = reader_->text(key, value.string());
    value = given.empty() ? std::filesystem::path() : (folder_ / given).lexically_normal();
  }
  void flag(const char* key, bool& value, const char*) { value = reader_->flag(key, value); }
  void texts(const char* key, std::vector<std::string>& value, const char*) {
    if (reader_->has(key)) value = reader_->texts(key);
  }
  void integer(const char* key, int& value, int least, int most, const char*) {
    const std::int64_t found = reader_->integer(key, value);
    if (found < least || found > most) {
      reader_->refuse(key, concat("expected ", least, " to ", most, ", found ", found));
    }
    value = static_cast<int>(found);
  }
  void finish() {
    if (reader_) reader_->finish();
    if (providers_) providers_->finish();
  }

 private:
  static constexpr std::string_view kProviders = "photos.providers.";
  static TomlReader below(TomlReader& parent, const std::string& key) {
    static const toml::table kEmpty;
    const toml::table* found = parent.table(key);
    return parent.child(key, found != nullptr ? *found : kEmpty);
  }
  TomlReader provider(const std::string& key) {
    if (!providers_) providers_.emplace(below(*photos_, "providers"));
    return below(*providers_, key.substr(kProviders.size()));
  }
  TomlReader& root_;
  std::filesystem::path folder_;
  std::optional<TomlReader> reader_, photos_, providers_;
};

// In double quotes, as config.toml and the documentation write it.
std::string toml_quoted(const std::string& text) {
  std::ostringstream out;
  const toml::value<std::string> value(text);
  out << toml::toml_formatter(value, toml::toml_formatter::default_flags &
                                         ~toml::format_flags::allow_literal_strings &
                                         ~toml::format_flags::allow_multi_line_strings);
  return out.str();
}

class Describing {
 public:
  void table(const std::string& key) { table_ = key; }
  void text(const char* key, std::string& value, const char* meaning) {
    add(key, toml_quoted(value), meaning);
  }
  void path(const char* key, std::filesystem::path& value, const char* meaning) {
    add(key, toml_quoted(value.string()), meaning);
  }
  void optional_path(const char* key, std::filesystem::path& value, const char* meaning) {
    path(key, value, meaning);
  }
  void flag(const char* key, bool& value, const char* meaning) {
    add(key, value ? "true" : "false", meaning);
  }
  void texts(const char* key, std::vector<std::string>& value, const char* meaning) {
    std::string list;
    for (const std::string& item : value) list += (list.empty() ? "" : ", ") + toml_quoted(item);
    add(key, "[" + list + "]", meaning);
  }
  void integer(const char* key, int& value, int, int, const char* meaning) {
    add(key, std::to_string(value), meaning);
  }
  std::vector<Setting> take() { return std::move(found_); }

 private:
  void add(const char* key, std::string value, const char* meaning) {
    found_.push_back({table_ + "." + key, std::move(value), meaning});
  }
  std::string table_;
  std::vector<Setting> found_;
};

// "GPL-2.0-or-later" is one; a licence that forbids commercial use or changes stays forbidden.
void check_policy(const Config& config, const std::string& what) {
  for (const std::string& id : config.photos.policy.also_allow) {
    const photos::License license = photos::read_license(id);
    if (id.empty() || license.noncommercial || license.noderivatives) {
      fail(Cause::BadInput, what, ": photos.also_allow: expected an SPDX id, found \"", id,
           "\"; licences that forbid commercial use or changes can not be allowed");
    }
  }
}

// Half a configuration would sign with the tool's own test certificate.
void check_signing(const SigningSettings& c2pa, const std::string& what) {
  const bool all = !c2pa.tool.empty() && !c2pa.certificate.empty() && !c2pa.key.empty();
  const bool none = c2pa.tool.empty() && c2pa.certificate.empty() && c2pa.key.empty();
  if (!all && !none) {
    fail(Cause::BadInput, what, ": c2pa: expected tool, certificate and key, or none of them; ",
         c2pa.tool.empty()          ? "tool"
         : c2pa.certificate.empty() ? "certificate"
                                    : "key",
         " is missing");
  }
  for (const std::filesystem::path& file : {c2pa.tool, c2pa.certificate, c2pa.key}) {
    if (!file.empty() && !std::filesystem::exists(file)) {
      fail(Cause::BadInput, what, ": c2pa: ", file.string(), ": no such file");
    }
  }
  static const std::vector<std::string> kKnown = {"es256", "es384", "es512",  "ps256",
                                                  "ps384", "ps512", "ed25519"};
  if (std::find(kKnown.begin(), kKnown.end(), c2pa.algorithm) == kKnown.end()) {
    fail(Cause::BadInput, what, ": c2pa.algorithm: \"", c2pa.algorithm, "\"",
         suggestion(c2pa.algorithm, kKnown));
  }
}

Config read(const toml::table& table, const std::string& what,
            const std::filesystem::path& folder) {
  Config config;
  TomlReader root(table, what);
  Reading reading(root, std::filesystem::absolute(folder));
  visit(config, reading);
  reading.finish();
  root.finish();
  check_policy(config, what);
  check_signing(config.c2pa, what);
  try {
    read_outputs(Json(config.cards.outputs), "cards.outputs");
  } catch (const Error& error) {
    fail(Cause::BadInput, what, ": ", error.what());
  }
  return config;
}

std::filesystem::path find_config() {
  std::vector<std::filesystem::path> places = {"config.toml"};
  const char* xdg = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (xdg != nullptr && xdg[0] == '/') {
    places.push_back(std::filesystem::path(xdg) / "affiche/config.toml");
  } else if (home != nullptr && home[0] == '/') {
    places.push_back(std::filesystem::path(home) / ".config/affiche/config.toml");
  }
  places.emplace_back("/etc/affiche/config.toml");
  for (const auto& place : places) {
    std::error_code unreadable;
    if (std::filesystem::exists(place, unreadable)) return place;
  }
  return {};
}

}  // namespace

std::vector<Setting> settings(const Config& config) {
  Config copy = config;
  Describing describing;
  visit(copy, describing);
  return describing.take();
}

Config parse_config(const std::string& text, const std::string& what,
                    const std::filesystem::path& folder) {
  return read(parse_toml(text, what), what, folder);
}

Config load_config(const std::filesystem::path& file) {
  const std::filesystem::path place = file.empty() ? find_config() : file;
  if (place.empty()) return parse_config("", "built-in defaults", ".");
  Config config =
      read(parse_toml_file(place), place.string(), std::filesystem::absolute(place).parent_path());
  config.file = std::filesystem::absolute(place).lexically_normal();
  return config;
}

}  // namespace affiche::service
