// SPDX-License-Identifier: Apache-2.0
// A provider in memory, for what chooses and audits; the real ones are tested over HTTP.
#pragma once

#include <map>

#include "base/error.h"
#include "base/sha256.h"
#include "photos/picture_header.h"
#include "photos/provider.h"

namespace affiche::test {

class FakeProvider final : public photos::Provider {
 public:
  explicit FakeProvider(std::string name) : name_(std::move(name)) {}

  std::vector<photos::Candidate> records;
  std::map<std::string, Bytes> files;  // by file_url
  bool down = false;
  int searches = 0, lookups = 0, fetches = 0;
  std::vector<std::string> used_ids;

  const std::string& name() const override { return name_; }
  std::vector<photos::Candidate> search(const photos::Wanted& wanted, std::stop_token) override {
    ++searches;
    check();
    std::vector<photos::Candidate> found;
    for (const photos::Candidate& one : records) {
      if (one.title.find(wanted.query) != std::string::npos) found.push_back(one);
    }
    return found;
  }
  photos::Candidate lookup(const std::string& id, std::stop_token) override {
    ++lookups;
    check();
    for (const photos::Candidate& one : records) {
      if (one.source_id == id || one.landing_url == id) return one;
    }
    fail(Cause::NotFound, name_, ": no picture ", id);
  }
  bool knows(const std::string& url) const override {
    return url.find(name_ + ".example") != std::string::npos;
  }
  photos::Fetched fetch(const photos::Candidate& candidate, std::stop_token) override {
    ++fetches;
    check();
    const auto found = files.find(candidate.file_url);
    if (found == files.end()) fail(Cause::NotFound, candidate.file_url, ": 404");
    photos::Fetched fetched;
    fetched.bytes = found->second;
    fetched.sha256 = sha256_hex(fetched.bytes);
    const auto header = photos::read_picture_header(fetched.bytes, candidate.file_url);
    fetched.media_type = header.media_type;
    fetched.width = header.width;
    fetched.height = header.height;
    fetched.url = candidate.file_url;
    fetched.fetched_at = 5;
    return fetched;
  }
  void used(const photos::Candidate& candidate, std::stop_token) override {
    used_ids.push_back(candidate.source_id);
  }

 private:
  void check() const {
    if (down) fail(Cause::Unavailable, name_, ": 503");
  }
  std::string name_;
};

}  // namespace affiche::test
