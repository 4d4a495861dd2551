// SPDX-License-Identifier: Apache-2.0
// The settings of one installation, read strictly from config.toml. Each field's comment names its
// key, unit and default; docs/configuration.md is tested against settings().
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "photos/licenses.h"

namespace affiche::service {

struct SiteSettings {
  std::string name = "affiche";  // site.name: written as publisher into XMP
  std::string url;               // site.url: home page, https://…; empty: none
  std::string contact;           // site.contact: operator's address for web services; empty: none
};

// Relative paths in the file are resolved against the folder of the file.
struct PathSettings {
  std::filesystem::path database = "var/affiche.db";  // paths.database: SQLite file
  std::filesystem::path artifacts = "var/artifacts";  // paths.artifacts: content-addressed files
  std::filesystem::path output = "out";               // paths.output: cards of jobs without `out`
  std::filesystem::path templates = "templates";      // paths.templates
  std::filesystem::path brands = "brands";            // paths.brands
  std::filesystem::path models = "assets/models";     // paths.models: base of model and LoRA names
};

struct WorkSettings {
  int workers = 1;            // work.workers: jobs worked on at once, 1 … 64
  int threads = 0;            // work.threads: of one generation; 0: all cores
  int lease_seconds = 120;    // work.lease_seconds: a silent worker loses its job after this
  int max_attempts = 5;       // work.max_attempts: tries of a job, crashes included
  int poll_ms = 500;          // work.poll_ms: pause between looks at an empty queue
  int shutdown_seconds = 30;  // work.shutdown_seconds: time to finish after SIGTERM
};

// [photos.providers.NAME]. Keys of services stand in the environment.
struct ProviderConfig {
  std::string base_url;            // .base_url: of its API; empty: the provider's own
  int requests_per_hour = 0;       // .requests_per_hour: what the key allows; 0: as usual there
  bool accept_terms = false;       // .accept_terms: of unsplash, pexels and pixabay
  std::string app = "affiche";     // unsplash.app: name as registered there, in links
  std::vector<std::string> sites;  // article.sites: hosts whose pages may be asked
  std::string license, author, source;  // article.*: the declared rights of their pictures
  std::filesystem::path folder;  // pictures.folder: looked at anew with every search; empty: none
};

struct PhotoSettings {
  // photos.allow_old_versions, .allow_sharealike, .also_allow, .restrictions, .allow_mature,
  // .minimum_age_days, .require_upload_date, .require_origin, .only, .never
  photos::Policy policy;
  int rest_days = 30;        // photos.rest_days: a photo rests so long on its site where it can
  int min_width = 640;       // photos.min_width: narrower pictures are refused; pixels
  int max_megapixels = 100;  // photos.max_megapixels: larger pictures are refused
  int max_file_mib = 64;     // photos.max_file_mib: larger files are refused
  std::vector<std::string> order = {"library"};  // photos.order: who is asked, first to last
  std::filesystem::path cache = "var/photos";    // photos.cache: what came over the network
  int cache_limit_mib = 2'048;                   // photos.cache_limit_mib; 0: none
  bool offline = false;                          // photos.offline: only what is kept
  bool allow_http = false;                       // photos.allow_http: pictures over http://
  std::vector<std::string> allow_hosts;          // photos.allow_hosts: "host:port" of your own
  int patience_seconds = 60;                     // photos.patience_seconds: for a turn
  bool sandbox = true;  // photos.sandbox: decode foreign pictures in a locked-up process
  std::map<std::string, ProviderConfig> providers;   // by name; all of them are there
  std::filesystem::path decoder = "/proc/self/exe";  // the program of that process; not a setting
};

struct ModelSettings {
  std::string endpoint = "https://huggingface.co";  // models.endpoint: hub of hub:OWNER/NAME
  std::filesystem::path cache;    // models.cache; empty: $XDG_CACHE_HOME/affiche/models
  int cache_limit_mib = 102'400;  // models.cache_limit_mib: least recently used models go; 0: none
  bool offline = false;           // models.offline: `model fetch` answers from the cache only
};

struct CardSettings {
  // cards.outputs: the files of a job that names none, as read_outputs() of service/outputs.h takes
  // them; empty: one JPEG of the template's first size
  std::vector<std::string> outputs;
};

// [c2pa]: tool, certificate and key are all given, or none.
struct SigningSettings {
  std::filesystem::path tool;         // c2pa.tool: c2patool; empty: nothing is signed
  std::filesystem::path certificate;  // c2pa.certificate: PEM, from the signer's own upwards
  std::filesystem::path key;          // c2pa.key: PEM, the private one
  std::string algorithm = "es256";    // c2pa.algorithm: of the key
  std::string timestamp_url;          // c2pa.timestamp_url: RFC 3161 authority; empty: none
};

struct NetworkSettings {
  std::string
      proxy;  // network.proxy: "http://host:port"; empty: none, whatever the environment says
};

struct Config {
  std::filesystem::path file;  // that it was read from; empty: built-in defaults
  SiteSettings site;
  PathSettings paths;
  WorkSettings work;
  PhotoSettings photos;
  CardSettings cards;
  SigningSettings c2pa;
  ModelSettings models;
  NetworkSettings network;
};

// One key of config.toml as documentation and `affiche doctor` show it.
struct Setting {
  std::string key;      // "work.lease_seconds"
  std::string value;    // as TOML
  std::string meaning;  // one line
};

// Every key with its value in `config`, in the order of the file.
std::vector<Setting> settings(const Config& config);

// Reads `file`, or, when it is empty, the first that exists of ./config.toml,
// $XDG_CONFIG_HOME/affiche/config.toml (~/.config) and /etc/affiche/config.toml; with none of them
// the defaults, relative to the working folder. Paths in the result are absolute. NotFound for a
// named file that does not exist, BadInput with file:line:column for its content.
Config load_config(const std::filesystem::path& file = {});

// The same from text. `folder` is what relative paths are resolved against.
Config parse_config(const std::string& text, const std::string& what,
                    const std::filesystem::path& folder);

}  // namespace affiche::service
