// SPDX-License-Identifier: Apache-2.0
// One line per event, "level message key=value …", to a stream that the program chooses. Libraries
// below service/ do not log: they return, throw or call back.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace affiche {

enum class Level { Debug, Info, Warn, Error };

// Thread-safe: a line is written whole.
class Log {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;
  explicit Log(std::FILE* stream, Level least = Level::Info) : stream_(stream), least_(least) {}
  void debug(std::string_view message, Fields fields = {}) { write(Level::Debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(Level::Info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(Level::Warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(Level::Error, message, fields); }

 private:
  void write(Level level, std::string_view message, Fields fields);
  std::mutex mutex_;
  std::FILE* stream_;
  Level least_;
};

}  // namespace affiche
