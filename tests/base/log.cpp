// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>

#include "catch.h"

using namespace affiche;

namespace {

std::string logged(const std::function<void(Log&)>& action, Level least = Level::Info) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  Log log(stream, least);
  action(log);
  std::fclose(stream);
  const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
  return std::string(text, size);
}

}  // namespace

TEST_CASE("a hostile value cannot forge a log line or drive a terminal", "[log]") {
  const std::string line = logged([](Log& log) {
    log.info("job\ndone", {{"title", "x\" evil=1\n2026-01-01T00:00:00Z error forged\x1b[2J"}});
  });
  REQUIRE(std::count(line.begin(), line.end(), '\n') == 1);
  REQUIRE(line.find('\x1b') == std::string::npos);
  REQUIRE(line.find("title=\"x\\\" evil=1 ") != std::string::npos);
}

TEST_CASE("plain values stand without quotes", "[log]") {
  const std::string line = logged([](Log& log) { log.warn("slow", {{"ms", "12"}, {"name", ""}}); });
  REQUIRE(line.find(" warn slow ms=12 name=\"\"\n") != std::string::npos);
}

TEST_CASE("levels below the least are left out", "[log]") {
  REQUIRE(logged([](Log& log) { log.info("no"); }, Level::Warn).empty());
  REQUIRE_FALSE(logged([](Log& log) { log.error("yes"); }, Level::Warn).empty());
}
