// SPDX-License-Identifier: Apache-2.0
// What `affiche doctor` looks at. Each check returns a finding and never throws.
#pragma once

#include <string>
#include <vector>

#include "service/config.h"

namespace affiche::cli {

struct Finding {
  enum class Level { Ok, Warning, Problem };
  Level level = Level::Ok;
  std::string subject;  // "libvips"
  std::string text;     // what was found
  std::string remedy;   // empty when all is well
};

std::vector<Finding> check_libraries();
std::vector<Finding> check_machine();  // CPU features, GPU
std::vector<Finding> check_fonts(const service::Config& config);
std::vector<Finding> check_store(const service::Config& config);  // database, disk space
std::vector<Finding> check_files(const service::Config& config);  // templates, brands, models

}  // namespace affiche::cli
