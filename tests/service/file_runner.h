// SPDX-License-Identifier: Apache-2.0
// A stage runner that does real file work without the engines: bytes from the job's variables, an
// artifact for each stage, and a published file with its ledger row.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "service/stages.h"
#include "store/artifacts.h"

namespace affiche::test {

// What the published file of a job must hold: some hundred KiB that depend on the variables.
inline std::string expected_card(const std::string& variables) {
  std::string text = "card of " + variables + "\n";
  std::string block = sha256_hex(std::string_view(text));
  while (text.size() < 200'000) {
    text += block;
    block = sha256_hex(std::string_view(block));
  }
  return text;
}

class FileRunner final : public service::StageRunner {
 public:
  FileRunner(const store::Artifacts& artifacts, std::chrono::milliseconds pause)
      : artifacts_(artifacts), pause_(pause) {}

  // Called before each stage; may throw.
  std::function<void(const store::Job&, const std::string& stage, std::stop_token)> before;

  std::vector<std::string> stage_names(const store::Job&) override {
    return {"photo", "background", "compose", "publish"};
  }

  service::StageResult run(const store::Job& job, const std::string& stage,
                           const store::Stages& done, std::stop_token stop) override {
    if (before) before(job, stage, stop);
    std::this_thread::sleep_for(pause_);
    service::StageResult result;
    if (stage == "photo" || stage == "background") {
      result.artifact = put(stage + " of " + job.variables);
    } else if (stage == "compose") {
      result.artifact = put(expected_card(job.variables));
    } else {
      const Bytes card = artifacts_.get(done.at("compose").artifact);
      write_atomically(job.out, card);
      result.outputs = {job.out};
      store::CreditEntry entry;
      entry.card_path = job.out;
      entry.card_sha256 = sha256_hex(card);
      entry.photo_id = done.at("photo").artifact;
      entry.credit = {"Sea", "Ann", "", "Commons", "https://x", "CC-BY-4.0", "https://l", {}};
      entry.line = credit_line(entry.credit);
      result.credits = {entry};
    }
    return result;
  }

 private:
  std::string put(const std::string& text) {
    return artifacts_.put(
        std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  const store::Artifacts& artifacts_;
  const std::chrono::milliseconds pause_;
};

}  // namespace affiche::test
