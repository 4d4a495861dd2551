// SPDX-License-Identifier: Apache-2.0
#include "cli/download_progress.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/border.h"

namespace affiche::cli {
namespace {

using Time = std::chrono::steady_clock;
constexpr std::uint64_t kLineBytes = std::uint64_t{16} << 20;  // without a total, a line for each

}  // namespace

std::string in_words(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 999.5 && unit + 1 < kUnits.size()) {
    amount /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit > 0 && amount < 9.95 ? "%.1f %s" : "%.0f %s", amount,
                kUnits[unit]);
  return text;
}

DownloadProgress::Style DownloadProgress::style_for(int verbosity, bool json) {
  if (verbosity < 0 || json) return Style::Silent;
  return ::isatty(STDERR_FILENO) != 0 ? Style::Bar : Style::Lines;
}

void DownloadProgress::note(const std::string& text) {
  if (style_ == Style::Silent) return;
  finish();
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

void DownloadProgress::planned(std::size_t files, std::uint64_t bytes) {
  total_ = bytes;
  tenths_ = 0;
  started_ = false;
  note(concat(files, files == 1 ? " file" : " files", bytes > 0 ? ", " + in_words(bytes) : ""));
}

void DownloadProgress::progress(const std::string& file, std::uint64_t bytes) {
  if (style_ == Style::Silent) return;
  const auto now = Time::now();
  if (!started_) {
    started_ = true;
    start_ = now;
    first_ = bytes;
  }
  if (style_ == Style::Lines) {
    const std::uint64_t tenths = total_ > 0 ? bytes * 10 / total_ : bytes / kLineBytes;
    if (tenths > tenths_)
      std::fprintf(
          stderr, "%s: %s\n", printable(file).c_str(),
          (total_ > 0 ? in_words(bytes) + " of " + in_words(total_) : in_words(bytes)).c_str());
    tenths_ = std::max(tenths, tenths_);
    return;
  }
  if (now - last_ < std::chrono::milliseconds(100) && bytes != total_) return;
  last_ = now;
  draw(file, bytes);
}

void DownloadProgress::draw(const std::string& file, std::uint64_t bytes) {
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = total_ > 0 ? std::min(kWidth, bytes * kWidth / total_) : 0;
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  const double seconds = std::chrono::duration<double>(last_ - start_).count();
  const std::string speed =
      seconds > 0.5 && bytes > first_
          ? in_words(static_cast<std::uint64_t>(static_cast<double>(bytes - first_) / seconds)) +
                "/s"
          : "";
  std::fprintf(stderr, "\r\x1b[K[%s] %s of %s  %s  %s", bar.c_str(), in_words(bytes).c_str(),
               total_ > 0 ? in_words(total_).c_str() : "?", speed.c_str(),
               printable(file).substr(0, 60).c_str());
  drawn_ = true;
}

void DownloadProgress::finish() {
  if (drawn_) std::fputc('\n', stderr);
  drawn_ = false;
}

}  // namespace affiche::cli
