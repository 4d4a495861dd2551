// SPDX-License-Identifier: Apache-2.0
#include "cli/checks.h"

#include <curl/curl.h>
#include <sqlite3.h>
#include <torch/cuda.h>
#include <torch/version.h>
#include <vips/vips.h>

#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "base/error.h"
#include "cards/brand.h"
#include "cards/fonts.h"
#include "cards/template.h"
#include "service/content_credentials.h"
#include "service/models.h"
#include "store/migrations.h"
#include "store/store.h"

namespace affiche::cli {
namespace {

using Level = Finding::Level;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kLeastFreeMiB = 500;

// Runs a check whose failure is itself the finding.
void guarded(std::vector<Finding>& findings, const std::string& subject,
             const std::function<Finding()>& check) {
  try {
    findings.push_back(check());
  } catch (const std::exception& error) {
    findings.push_back({Level::Problem, subject, error.what(), "see the message"});
  }
}

// The first line of /proc/cpuinfo that starts with one of the names, after the colon.
std::string cpu_info(std::initializer_list<const char*> names) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    for (const char* name : names) {
      const std::size_t colon = line.find(": ");
      if (line.starts_with(name) && colon != std::string::npos) return line.substr(colon + 2);
    }
  }
  return {};
}

Finding cpu_features() {
  const std::set<std::string> wanted = {"avx2",        "fma",         "avx512f",
                                        "avx512_vnni", "avx512_bf16", "amx_bf16",
                                        "amx_int8",    "asimd",       "bf16"};
  std::istringstream flags(cpu_info({"flags", "Features"}));
  std::string found;
  for (std::string flag; flags >> flag;) {
    if (wanted.contains(flag)) found += (found.empty() ? "" : " ") + flag;
  }
  const bool vectors =
      found.find("avx2") != std::string::npos || found.find("asimd") != std::string::npos;
  return {vectors ? Level::Ok : Level::Warning, "CPU features", found.empty() ? "none" : found,
          vectors ? "" : "generation will be slow: a CPU with AVX2 is some times faster"};
}

std::vector<std::filesystem::path> toml_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  return files;
}

Finding disk(const std::string& subject, const std::filesystem::path& folder) {
  std::filesystem::path there = folder;
  while (!std::filesystem::exists(there) && there.has_relative_path()) there = there.parent_path();
  const std::uint64_t free = std::filesystem::space(there).available / kMiB;
  const bool enough = free >= kLeastFreeMiB;
  return {enough ? Level::Ok : Level::Problem, subject,
          concat(folder.string(), ", ", free, " MiB free"),
          enough ? "" : concat("expected ", kLeastFreeMiB, " MiB or more; free some space")};
}

}  // namespace

std::vector<Finding> check_libraries() {
  return {{Level::Ok, "affiche", AFFICHE_VERSION, ""},
          {Level::Ok, "libvips", vips_version_string(), ""},
          {Level::Ok, "Pango", pango_version_string(), ""},
          {Level::Ok, "SQLite", sqlite3_libversion(), ""},
          {Level::Ok, "libcurl", curl_version_info(CURLVERSION_NOW)->version, ""},
          {Level::Ok, "libtorch", TORCH_VERSION, ""}};
}

std::vector<Finding> check_machine() {
  std::vector<Finding> findings;
  guarded(findings, "CPU", [] {
    return Finding{
        Level::Ok, "CPU",
        concat(cpu_info({"model name"}), ", ", std::thread::hardware_concurrency(), " threads"),
        ""};
  });
  guarded(findings, "CPU features", cpu_features);
  guarded(findings, "GPU", [] {
    const auto count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
    return Finding{Level::Ok, "GPU",
                   count > 0 ? concat(count, " by CUDA") : "none: the CPU generates", ""};
  });
  return findings;
}

std::vector<Finding> check_fonts(const service::Config& config) {
  std::vector<Finding> findings;
  for (const auto& file : toml_files(config.paths.brands)) {
    guarded(findings, "brand " + file.stem().string(), [&] {
      const cards::Brand brand = cards::load_brand(file);
      std::string missing;
      for (const auto& [role, font] : brand.fonts) {
        if (cards::font_facts(font, brand.font_folder).family != font.family)
          missing += " " + font.family;
      }
      return Finding{
          missing.empty() ? Level::Ok : Level::Problem, "brand " + brand.name,
          missing.empty() ? concat(brand.fonts.size(), " fonts, all there")
                          : "fonts not found:" + missing,
          missing.empty() ? "" : "install them, or put their files into the brand's folder"};
    });
  }
  if (findings.empty()) {
    findings.push_back(
        {Level::Warning, "brands", "none in " + config.paths.brands.string(), "set paths.brands"});
  }
  return findings;
}

std::vector<Finding> check_store(const service::Config& config) {
  std::vector<Finding> findings;
  guarded(findings, "database", [&] {
    const std::string place = config.paths.database.string();
    const int newest = store::built_in_migrations().back().number;
    if (!std::filesystem::exists(config.paths.database)) {
      return Finding{Level::Warning, "database", place + ": not made yet",
                     "affiche migrate makes it"};
    }
    const SystemClock clock;
    const store::Store opened(config.paths.database, clock);
    const std::string state = opened.integrity_check();
    return Finding{state == "ok" ? Level::Ok : Level::Problem, "database",
                   concat(place, ", schema ", opened.schema_version(), " of ", newest, ", ", state),
                   state == "ok" ? "" : "restore it from a backup"};
  });
  guarded(findings, "artifacts", [&] { return disk("artifacts", config.paths.artifacts); });
  guarded(findings, "output", [&] { return disk("output", config.paths.output); });
  return findings;
}

std::vector<Finding> check_files(const service::Config& config) {
  std::vector<Finding> findings;
  findings.push_back(
      {Level::Ok, "content credentials", service::ContentCredentials(config.c2pa).status(), ""});
  for (const auto& file : toml_files(config.paths.templates)) {
    guarded(findings, "template " + file.stem().string(), [&] {
      const cards::Template card = cards::load_template(file);
      return Finding{Level::Ok, "template " + card.name, concat(card.width, "x", card.height), ""};
    });
  }
  if (findings.empty()) {
    findings.push_back({Level::Warning, "templates", "none in " + config.paths.templates.string(),
                        "set paths.templates"});
  }
  for (const auto& file : toml_files(config.paths.brands)) {
    guarded(findings, "model of " + file.stem().string(), [&] {
      const cards::Voice voice = cards::load_brand(file).voice;
      std::vector<std::filesystem::path> needed;
      if (!voice.model.empty()) {
        needed.push_back(service::find_model(voice.model.string(), config).path);
      }
      for (const cards::VoiceLora& lora : voice.loras) needed.push_back(lora.file);
      std::string missing;
      for (const auto& path : needed) {
        if (!path.empty() && !std::filesystem::exists(path)) missing += " " + path.string();
      }
      return Finding{missing.empty() ? Level::Ok : Level::Problem,
                     "model of " + file.stem().string(),
                     missing.empty() ? voice.model.string() : "not found:" + missing,
                     missing.empty() ? "" : "correct [voice] in " + file.string()};
    });
  }
  return findings;
}

}  // namespace affiche::cli
