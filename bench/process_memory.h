// SPDX-License-Identifier: Apache-2.0
// What this process holds of the machine's memory, from /proc/self/status.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

namespace affiche::bench {

// A line of that file in MiB: "VmHWM" (most that was ever resident), "RssAnon" (its own memory),
// "RssFile" (mapped files, shared with others). 0 when there is no such line.
inline double process_memory_mib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    long kib = 0;
    if (line.starts_with(key + ":") &&
        std::sscanf(line.c_str() + key.size() + 1, "%ld", &kib) == 1) {
      return static_cast<double>(kib) / 1024;
    }
  }
  return 0;
}

}  // namespace affiche::bench
