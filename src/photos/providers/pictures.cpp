// SPDX-License-Identifier: Apache-2.0
// A folder of pictures on this machine, looked at anew with every search: what lies there now, with
// its sidecar or what it says inside, may be used without an import. What cannot be read becomes a
// record with an objection, so that a search tells it by name.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "photos/embedded.h"
#include "photos/picture_files.h"
#include "photos/providers/providers.h"
#include "photos/search.h"
#include "photos/sidecar.h"

namespace affiche::photos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 1 << 20;  // bytes; the size stands behind previews and profiles
constexpr std::size_t kMostSidecar = 64 << 10;

std::int64_t changed(const fs::path& file) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             fs::last_write_time(file).time_since_epoch())
      .count();
}

Bytes beginning(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(Cause::NotFound, file.string(), ": cannot be read");
  Bytes bytes(kHeader);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

class Pictures final : public Provider {
 public:
  Pictures(const Clock& clock, const ProviderSettings& settings)
      : clock_(clock), settings_(settings) {
    if (settings_.folder.empty()) {
      fail(Cause::Usage,
           "photos.providers.pictures: expected a folder, found none; set folder or take "
           "\"pictures\" out of photos.order");
    }
  }

  const std::string& name() const override { return name_; }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    std::vector<Candidate> all;
    std::vector<SearchEntry> entries;
    for (const fs::path& file : picture_files(settings_.folder)) {
      if (stop.stop_requested()) fail(Cause::Cancelled, "pictures: stopped");
      all.push_back(record_of(file));
      entries.push_back({all.back().source_id, all.back().title, all.back().keywords});
    }
    std::vector<Candidate> found;
    for (const Match& match : rank(wanted.query, entries)) {
      if (found.size() < static_cast<std::size_t>(std::max(1, wanted.count))) {
        found.push_back(std::move(all[match.index]));
      }
    }
    return found;
  }

  Candidate lookup(const std::string& id, std::stop_token) override {
    return record_of(file_of(id));
  }
  bool knows(const std::string&) const override { return false; }
  void used(const Candidate&, std::stop_token) override {}

  Fetched fetch(const Candidate& candidate, std::stop_token) override {
    const fs::path file = file_of(candidate.source_id);
    Fetched fetched;
    fetched.bytes = read_bytes(file, settings_.most_bytes);
    const PictureHeader header = check_picture(fetched.bytes, file.string(), settings_.limits);
    fetched.sha256 = sha256_hex(fetched.bytes);
    fetched.media_type = header.media_type;
    fetched.width = header.width;
    fetched.height = header.height;
    return fetched;
  }

 private:
  // Below the folder, and no link on the way.
  fs::path file_of(const std::string& id) const {
    const fs::path folder = fs::weakly_canonical(settings_.folder);
    const fs::path file = (folder / id).lexically_normal();
    const auto [end, ignored] =
        std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
    if (end != folder.end() || fs::path(id).is_absolute()) {
      fail(Cause::Refused, "pictures: ", id, ": expected a picture of ", folder.string());
    }
    if (!fs::is_regular_file(file))
      fail(Cause::NotFound, "pictures: ", id, ": there is no such picture");
    if (fs::canonical(file) != file) {
      fail(Cause::Refused, "pictures: ", id, ": expected a file, found a link");
    }
    return file;
  }

  // As it was read before, while neither picture nor sidecar changed.
  Candidate record_of(const fs::path& file) {
    std::string stamp;
    std::optional<fs::path> sidecar;
    std::string problem;
    try {
      sidecar = find_sidecar(file);
      stamp = concat(fs::file_size(file), ":", changed(file), ":", sidecar ? changed(*sidecar) : 0);
    } catch (const std::exception& error) {
      problem = error.what();  // two sidecars, or the file is gone again
    }
    const std::lock_guard guard(mutex_);
    auto& [known, candidate] = read_[file.string()];
    if (stamp.empty() || known != stamp) {
      candidate = read(file, sidecar, problem);
      known = stamp;
    }
    candidate.answered_at = clock_.now();
    return candidate;
  }

  Candidate read(const fs::path& file, const std::optional<fs::path>& sidecar,
                 const std::string& problem) const {
    Candidate made;
    made.provider = name_;
    made.source_id = file.lexically_relative(settings_.folder.lexically_normal()).generic_string();
    if (made.source_id.empty() || made.source_id.starts_with("..")) {
      made.source_id =
          file.lexically_relative(fs::weakly_canonical(settings_.folder)).generic_string();
    }
    made.title = file.stem().string();
    std::replace_if(
        made.title.begin(), made.title.end(), [](char c) { return c == '_' || c == '-'; }, ' ');
    made.source = made.title;
    Json raw = {{"file", made.source_id}};
    try {
      if (!problem.empty()) fail(Cause::Refused, problem);
      raw["bytes"] = fs::file_size(file);
      raw["modified"] = changed(file);
      read_credit(made, file, sidecar, raw);
      const PictureHeader header = read_picture_header(beginning(file), file.string());
      made.width = header.width;
      made.height = header.height;
      made.media_type = header.media_type;
    } catch (const std::exception& error) {
      made.license.objections.emplace_back(error.what());
    }
    made.raw = raw_of(raw);
    made.raw_url = "";
    return made;
  }

  void read_credit(Candidate& made, const fs::path& file, const std::optional<fs::path>& sidecar,
                   Json& raw) const {
    // Its metadata is parsed in this process, so the file must be what it claims to be.
    if (!sidecar)
      check_picture(read_bytes(file, settings_.most_bytes), file.string(), settings_.limits);
    const auto embedded = sidecar ? std::nullopt : read_embedded(file);
    if (!sidecar && !embedded) {
      fail(Cause::Refused, file.string(), ": no sidecar with a credit, and no licence inside; add ",
           file.filename().string(), ".toml with title, author, source and license");
    }
    const Sidecar credit = sidecar ? read_sidecar(*sidecar) : embedded->sidecar;
    raw[sidecar ? "sidecar" : "xmp"] = sidecar ? read_text(*sidecar, kMostSidecar) : embedded->xmp;
    made.title = credit.credit.title;
    made.creator = credit.credit.author;
    made.creator_url = credit.credit.author_url;
    made.source = credit.credit.source;
    made.landing_url = credit.credit.source_url;
    made.license.code = credit.credit.license;
    made.license.url = credit.credit.license_url;
    made.changes = credit.credit.changes;
    made.keywords = credit.keywords;
  }

  const std::string name_ = "pictures";
  const Clock& clock_;
  const ProviderSettings settings_;
  std::mutex mutex_;
  std::map<std::string, std::pair<std::string, Candidate>> read_;  // by file: stamp, record
};

}  // namespace

std::unique_ptr<Provider> make_pictures(const Clock& clock, const ProviderSettings& settings) {
  return std::make_unique<Pictures>(clock, settings);
}

}  // namespace affiche::photos
