// SPDX-License-Identifier: Apache-2.0
// How a download looks to whoever waits for it, on standard error: a bar on a terminal, a line for
// each tenth otherwise.
#pragma once

#include <chrono>
#include <string>

#include "hub/fetch.h"

namespace affiche::cli {

class DownloadProgress final : public hub::Watcher {
 public:
  enum class Style { Silent, Lines, Bar };
  explicit DownloadProgress(Style style) : style_(style) {}
  // By verbosity, and by whether standard error is a terminal.
  static Style style_for(int verbosity, bool json);

  void note(const std::string& text) override;
  void planned(std::size_t files, std::uint64_t bytes) override;
  void progress(const std::string& file, std::uint64_t bytes) override;
  // Ends the bar's line.
  void finish();

 private:
  void draw(const std::string& file, std::uint64_t bytes);
  Style style_;
  std::uint64_t total_ = 0;
  std::uint64_t tenths_ = 0;
  std::uint64_t first_ = 0;  // bytes that were there at the start
  bool started_ = false;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_{};
  std::chrono::steady_clock::time_point last_{};
};

// "1.4 GB"
std::string in_words(std::uint64_t bytes);

}  // namespace affiche::cli
