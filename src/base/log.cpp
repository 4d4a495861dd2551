// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/clock.h"

namespace affiche {
namespace {

const char* label(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      return "error";
  }
  return "error";
}

// Control characters would let a hostile title forge a log line or drive a terminal.
void append_quoted(std::string& line, std::string_view value) {
  const bool plain =
      !value.empty() && value.find_first_of(" \"\\=\t\n\r") == std::string_view::npos;
  if (!plain) line.push_back('"');
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      line.push_back(' ');
    } else {
      if (c == '"' || c == '\\') line.push_back('\\');
      line.push_back(c);
    }
  }
  if (!plain) line.push_back('"');
}

}  // namespace

void Log::write(Level level, std::string_view message, Fields fields) {
  if (level < least_) return;
  std::string line = iso8601(SystemClock().now());
  line += ' ';
  line += label(level);
  line += ' ';
  for (const char c : message) line.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    append_quoted(line, value);
  }
  line += '\n';
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fflush(stream_);
}

}  // namespace affiche
