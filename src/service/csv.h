// SPDX-License-Identifier: Apache-2.0
// Comma-separated values as RFC 4180 has them. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace affiche::service {

struct CsvRow {
  int line = 0;  // where the row begins, from 1
  std::vector<std::string> cells;
};

// Commas, double quotes around cells with commas, quotes ("" inside) or line ends, LF or CRLF, an
// optional byte order mark. Empty lines are left out. BadInput with the line number for a quote
// that is not closed or stands inside a bare cell.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& what);

}  // namespace affiche::service
