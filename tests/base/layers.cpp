// SPDX-License-Identifier: Apache-2.0
// The arrows of docs/architecture.md, read from the sources: cli -> http -> service -> {diffusion,
// cards, photos, hub, recipes, store} -> {imaging, net} -> base.
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "catch.h"

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kSources = fs::path(AFFICHE_SOURCE_DIR) / "src";

const std::map<std::string, Names>& arrows() {
  static const Names kBelowService = {"base",   "imaging", "net",     "diffusion", "cards",
                                      "photos", "hub",     "recipes", "store"};
  static const Names kBelowBorder = {"base",   "imaging", "net",     "diffusion", "cards",
                                     "photos", "hub",     "recipes", "store",     "service"};
  static const Names kBelowCommands = {"base", "imaging", "net",   "diffusion", "cards", "photos",
                                       "hub",  "recipes", "store", "service",   "http"};
  static const std::map<std::string, Names> kArrows = {{"base", {}},
                                                       {"imaging", {"base"}},
                                                       {"diffusion", {"base", "imaging"}},
                                                       {"cards", {"base", "imaging"}},
                                                       {"net", {"base"}},
                                                       {"photos", {"base", "imaging", "net"}},
                                                       {"hub", {"base", "net"}},
                                                       {"recipes", {"base", "imaging"}},
                                                       {"store", {"base", "imaging"}},
                                                       {"service", kBelowService},
                                                       {"http", kBelowBorder},
                                                       {"cli", kBelowCommands}};
  return kArrows;
}

struct Include {
  fs::path file;
  std::string target;  // "store/store.h", "torch/torch.h"
};

std::vector<Include> includes_of(const fs::path& folder) {
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string ending = entry.path().extension();
    if (ending != ".h" && ending != ".cpp") continue;
    std::istringstream lines(affiche::read_text(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("#include ") || line.size() < 12) continue;
      const std::size_t end = line.find_first_of("\">", 10);
      found.push_back({entry.path(), line.substr(10, end - 10)});
    }
  }
  return found;
}

}  // namespace

TEST_CASE("arrows between the folders of src go down only", "[layers]") {
  for (const auto& folder : fs::directory_iterator(kSources)) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename();
    CAPTURE(name);
    REQUIRE(arrows().contains(name));
    for (const Include& include : includes_of(folder)) {
      const std::string first = include.target.substr(0, include.target.find('/'));
      if (first == name || !arrows().contains(first) || first == include.target) continue;
      INFO(include.file << " includes " << include.target);
      CHECK(arrows().at(name).contains(first));
    }
  }
}

TEST_CASE("each library of others is used only where it belongs", "[layers]") {
  const std::map<std::string, Names> homes = {{"torch/", {"diffusion", "service", "cli"}},
                                              {"ATen/", {"diffusion", "service", "cli"}},
                                              {"c10/", {"diffusion", "service", "cli"}},
                                              {"vips/", {"cards", "cli"}},
                                              {"pango/", {"cards"}},
                                              {"librsvg/", {"cards"}},
                                              {"exempi/", {"cards", "photos"}},
                                              {"seccomp.h", {"service"}},
                                              {"sqlite3.h", {"store", "cli"}},
                                              {"curl/", {"net", "cli"}},
                                              {"libxml/", {"photos"}},
                                              {"CLI/", {"cli", "diffusion"}},
                                              {"toml++/", {"base", "cards"}},
                                              {"openssl/", {"base"}},
                                              {"zlib.h", {"recipes"}}};
  for (const auto& folder : fs::directory_iterator(kSources)) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename();
    for (const Include& include : includes_of(folder)) {
      for (const auto& [start, allowed] : homes) {
        if (!include.target.starts_with(start)) continue;
        INFO(include.file << " includes " << include.target);
        CHECK(allowed.contains(name));
      }
    }
  }
}

TEST_CASE("diffusion needs nothing that a machine with a GPU lacks", "[layers]") {
  for (const Include& include : includes_of(kSources / "diffusion")) {
    INFO(include.file << " includes " << include.target);
    CHECK(include.target != "base/toml.h");
    CHECK(include.target != "base/digest.h");
    CHECK(include.target != "base/sha256.h");
  }
}
