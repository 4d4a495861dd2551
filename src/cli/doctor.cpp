// SPDX-License-Identifier: Apache-2.0
// affiche doctor: is everything there that a card needs?
#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "cli/checks.h"
#include "cli/command.h"

namespace affiche::cli {
namespace {

const char* name(Finding::Level level) {
  switch (level) {
    case Finding::Level::Ok:
      return "ok";
    case Finding::Level::Warning:
      return "warning";
    case Finding::Level::Problem:
      return "problem";
  }
  return "problem";
}

void print_text(const std::vector<Finding>& findings, const service::Config& config) {
  for (const Finding& finding : findings) {
    std::printf("%-8s %-18s %s%s%s\n", name(finding.level), finding.subject.c_str(),
                finding.text.c_str(), finding.remedy.empty() ? "" : "; ", finding.remedy.c_str());
  }
  std::printf("\nsettings of %s\n", config.file.empty() ? "the defaults (no config.toml was found)"
                                                        : config.file.c_str());
  for (const service::Setting& setting : service::settings(config)) {
    std::printf("  %-28s %s\n", setting.key.c_str(), setting.value.c_str());
  }
}

void print_json(const std::vector<Finding>& findings, const service::Config& config, bool well) {
  Json answer = {{"ok", well}, {"config", config.file.string()}, {"checks", Json::array()}};
  for (const Finding& finding : findings) {
    answer["checks"].push_back({{"level", name(finding.level)},
                                {"subject", finding.subject},
                                {"text", finding.text},
                                {"remedy", finding.remedy}});
  }
  for (const service::Setting& setting : service::settings(config)) {
    answer["settings"][setting.key] = setting.value;
  }
  std::puts(answer.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

int examine(const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  std::vector<Finding> findings = check_libraries();
  for (const auto& more :
       {check_machine(), check_store(config), check_files(config), check_fonts(config)}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  const bool well = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == Finding::Level::Problem;
  });
  if (shared.json) {
    print_json(findings, config, well);
  } else {
    print_text(findings, config);
  }
  return well ? 0 : 1;
}

}  // namespace

void add_doctor(CLI::App& app, Shared& shared) {
  CLI::App* doctor = app.add_subcommand(
      "doctor", "versions, CPU features, GPU, fonts, database, disk space, settings");
  doctor->footer("Exit code 1 when there is a problem.\nExample: affiche doctor --json");
  doctor->callback([&shared] { shared.run = [&shared] { return examine(shared); }; });
}

}  // namespace affiche::cli
