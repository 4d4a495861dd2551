// SPDX-License-Identifier: Apache-2.0
// Jobs from files: .json (an array, or one object), .jsonl (one object a line), .csv (one row a
// job).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "service/config.h"
#include "store/job.h"

namespace affiche::service {

// What holds for every job that does not say otherwise, as given on the command line.
struct JobDefaults {
  std::string template_name;
  std::string brand;
  std::map<std::string, std::string> set;
  std::string photo;  // words, or the id of a picture of the library; empty: none
  std::string out;
  std::string key;      // of a single job only
  std::string at;       // ISO 8601; empty: now
  std::string outputs;  // "card.jpg hero.jpg"; empty: those of the configuration
  int priority = 0;
};

// One job from the defaults alone.
store::NewJob single_job(const JobDefaults& defaults, const Config& config);

// Reads every job of a file ("-": JSON lines from standard input). Keys: template, brand, set,
// photo, out, outputs, key, at, priority. In CSV, the columns are these keys without set, and every
// other column is a variable, as is set.NAME; an empty cell is not given. Relative `out`, template
// and brand paths count from the working folder, photo paths from the folder of the file. BadInput
// with FILE:LINE for unknown keys, wrong types, bad times and names of templates and brands that do
// not exist: all jobs are good, or none is returned.
std::vector<store::NewJob> read_jobs(const std::filesystem::path& file, const JobDefaults& defaults,
                                     const Config& config);

}  // namespace affiche::service
