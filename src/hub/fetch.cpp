// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "hub/api.h"
#include "net/download.h"
#include "net/url.h"

namespace affiche::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIndexBytes = std::size_t{1} << 20;

// The content's name in the cache; by its place when the hub gives no hash, and then it is not
// shared.
std::string blob_name(const RepoFile& file, const std::string& commit, std::size_t place) {
  if (!file.sha256.empty()) return "sha256-" + file.sha256;
  if (!file.git_sha1.empty()) return "git-" + file.git_sha1;
  return concat("at-", commit, "-", place);
}

// The last part of a URL's path, as a file name.
std::string file_name(const Reference& reference) {
  const net::Url url = net::parse_url(reference.url, "URL");
  const std::string name = url.path.substr(url.path.rfind('/') + 1);
  static const std::vector<std::string> kEndings = {".safetensors", ".ckpt", ".gguf",
                                                    ".pt",          ".pth",  ".bin"};
  const bool model = std::any_of(kEndings.begin(), kEndings.end(), [&](const std::string& ending) {
    return name.size() > ending.size() && name.ends_with(ending);
  });
  if (!model) {
    fail(Cause::Usage, reference.text(),
         ": expected a URL that ends in .safetensors, .gguf, .ckpt, .pt, .pth or .bin");
  }
  check_repo_path(name, reference.text());
  return name;
}

class Fetching {
 public:
  Fetching(const Settings& settings, const Wanted& wanted, Watcher& watcher, std::stop_token stop)
      : settings_(settings),
        wanted_(wanted),
        reference_(wanted.reference),
        watcher_(watcher),
        stop_(std::move(stop)),
        api_(settings),
        client_({settings.user_agent, settings.proxy}),
        cache_(settings.cache, settings.cache_limit) {}

  Fetched of_hub();
  Fetched of_url();

 private:
  struct Item {
    RepoFile repo;
    RecordFile record;
  };
  std::vector<Item> items_of(const std::vector<RepoFile>& files) const;
  std::string index_text(const Listing& listing, Record& record);
  void bring(Record& record, const std::vector<Item>& items);
  void bring_one(const Item& item);
  void take_blob(const Item& item);
  FileLock lock_entry(const char* kind, FileLock::Kind how);
  Fetched::File& report(const RecordFile& file, bool fetched);
  Fetched finish(const std::string& inside);
  net::Progress progress_of(const std::string& path);

  const Settings& settings_;
  const Wanted& wanted_;
  const Reference& reference_;
  Watcher& watcher_;
  std::stop_token stop_;
  Api api_;
  net::Client client_;
  Cache cache_;
  std::string commit_;
  std::string entry_;
  std::uint64_t done_ = 0;  // bytes of the finished files among those that are fetched
  Fetched result_;
};

FileLock Fetching::lock_entry(const char* kind, FileLock::Kind how) {
  return FileLock::wait(
      cache_.lock(entry_, kind), how,
      [this] {
        watcher_.note(reference_.text() + ": waiting for another process that fetches it");
      },
      stop_);
}

net::Progress Fetching::progress_of(const std::string& path) {
  return [this, path](std::uint64_t there, const std::optional<std::uint64_t>&) {
    watcher_.progress(path, done_ + there);
  };
}

Fetched::File& Fetching::report(const RecordFile& file, bool fetched) {
  const auto known = std::find_if(result_.files.begin(), result_.files.end(),
                                  [&](const auto& other) { return other.path == file.path; });
  if (known != result_.files.end()) return *known;
  result_.files.push_back({file.path, file.size, file.blob, file.verified, fetched});
  return result_.files.back();
}

// The blob, from the network unless another model or an earlier call brought it.
void Fetching::take_blob(const Item& item) {
  const std::string& name = item.record.blob;
  const FileLock alone = FileLock::wait(
      cache_.lock(name, "blob"), FileLock::Kind::Exclusive,
      [&] { watcher_.note(item.repo.path + ": waiting for another process that fetches it"); },
      stop_);
  if (fs::exists(cache_.blob(name))) return;
  const std::string& path = item.repo.path;
  const net::Downloaded got =
      net::download(client_, api_.request(api_.file_url(reference_, commit_, path)),
                    cache_.partial(name), {item.repo.size, item.repo.sha256, item.repo.git_sha1},
                    settings_.pace, progress_of(path), stop_);
  result_.received += got.received;
  if (got.status != 0 && (got.status < 200 || got.status > 299)) {
    api_.explain(got.response, reference_);
  }
  cache_.keep(name, name);
  report(item.record, true);
}

void Fetching::bring_one(const Item& item) {
  // Twice: room for another model may have taken an unused blob between the two steps.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (cache_.has(entry_, item.record)) break;
    take_blob(item);
    if (cache_.link(entry_, item.record)) break;
  }
  report(item.record, false);
}

std::vector<Fetching::Item> Fetching::items_of(const std::vector<RepoFile>& files) const {
  std::vector<Item> items;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const RepoFile& file = files[i];
    if (!file.size) {
      fail(Cause::BadInput, reference_.text(), ": ", file.path,
           ": expected its size in the hub's listing, found none; the endpoint must answer "
           "?blobs=true");
    }
    const bool hashed = !file.sha256.empty() || !file.git_sha1.empty();
    items.push_back({file, {file.path, blob_name(file, commit_, i), *file.size, hashed}});
  }
  return items;
}

// Writes down what will be there, makes room, and brings it.
void Fetching::bring(Record& record, const std::vector<Item>& items) {
  for (const Item& item : items) record.add(item.record);
  cache_.plan(entry_, record);
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  for (const Item& item : items) {
    if (cache_.has(entry_, item.record) || fs::exists(cache_.blob(item.record.blob))) continue;
    bytes += item.record.size;
    ++files;
  }
  if (files > 0) watcher_.planned(files, bytes);
  done_ = 0;
  for (const Item& item : items) {
    const bool missing = !cache_.has(entry_, item.record);
    bring_one(item);
    if (missing) done_ += item.record.size;
  }
}

// The text of model_index.json; empty when the repository has none or nobody asks for it.
std::string Fetching::index_text(const Listing& listing, Record& record) {
  const auto index = std::find_if(listing.files.begin(), listing.files.end(),
                                  [](const RepoFile& file) { return file.path == kModelIndex; });
  if (index == listing.files.end() || !reference_.file.empty() || !wanted_.wish.includes.empty()) {
    return "";
  }
  if (index->size && *index->size > kIndexBytes) {
    fail(Cause::BadInput, reference_.text(), ": ", kModelIndex, ": expected at most ", kIndexBytes,
         " bytes, found ", *index->size);
  }
  bring(record, items_of({*index}));
  return read_text(cache_.entry_folder(entry_) / kModelIndex, kIndexBytes);
}

Fetched Fetching::finish(const std::string& inside) {
  Reference reference = reference_;
  if (reference.of_hub()) reference.revision = commit_;
  result_.place = cache_.find(reference);
  if (!inside.empty()) result_.place.path = cache_.entry_folder(entry_) / inside;
  for (const Fetched::File& file : result_.files) {
    if (!file.verified) {
      result_.warnings.push_back(file.path +
                                 ": nobody gave a hash of it, only its size was checked");
    }
  }
  return std::move(result_);
}

Fetched Fetching::of_hub() {
  watcher_.note("asking " + net::shown(settings_.endpoint) + " for " + reference_.text());
  const Listing listing = api_.list(client_, reference_, stop_);
  if (is_commit(reference_.revision) && listing.commit != reference_.revision) {
    fail(Cause::BadInput, reference_.text(), ": expected the commit ", reference_.revision,
         ", found ", listing.commit);
  }
  commit_ = listing.commit;
  entry_ = cache_.entry_of(reference_, commit_);
  const FileLock use = lock_entry("use", FileLock::Kind::Shared);
  const FileLock alone = lock_entry("fetch", FileLock::Kind::Exclusive);

  Record record = cache_.record(entry_).value_or(Record{});
  record.source = "hub:" + reference_.repository();
  record.commit = commit_;
  const std::string what = reference_.text();
  const Selection chosen =
      reference_.file.empty()
          ? select_files(listing.files, index_text(listing, record), wanted_.wish, what)
          : select_file(listing.files, reference_.file, what);
  result_.warnings = chosen.warnings;
  std::vector<RepoFile> files = chosen.files;
  if (!wanted_.sha256.empty()) {
    if (files.size() != 1) {
      fail(Cause::Usage, what, ": --sha256 is of one file, found ", files.size(), "; add --file");
    }
    if (!files[0].sha256.empty() && files[0].sha256 != wanted_.sha256) {
      fail(Cause::BadInput, what, ": ", files[0].path, ": expected SHA-256 ", wanted_.sha256,
           ", found ", files[0].sha256, " in the hub's listing");
    }
    files[0].sha256 = wanted_.sha256;
  }
  bring(record, items_of(files));
  if (reference_.file.empty()) {
    record.model = chosen.model;
    cache_.plan(entry_, record);
  }
  cache_.remember_commit(reference_, commit_);
  return finish(reference_.file);
}

Fetched Fetching::of_url() {
  const std::string name = file_name(reference_);
  entry_ = cache_.entry_of(reference_, "");
  const FileLock use = lock_entry("use", FileLock::Kind::Shared);
  const FileLock alone = lock_entry("fetch", FileLock::Kind::Exclusive);

  Record record = cache_.record(entry_).value_or(Record{});
  const RecordFile* known = record.find(name);
  const bool there = known != nullptr && record.model && cache_.has(entry_, *known);
  const bool wrong = !wanted_.sha256.empty() && there && known->blob != "sha256-" + wanted_.sha256;
  net::Request request = api_.request(reference_.url);
  if (settings_.cache_limit > 0) {
    request.limits.bytes = std::min(request.limits.bytes, settings_.cache_limit);
  }
  if (there && !wrong) {
    report(*known, false);
    if (!wanted_.sha256.empty()) return finish(name);
    if (!record.etag.empty()) request.headers["If-None-Match"] = record.etag;
  }
  watcher_.planned(1, 0);
  const std::string part = "url-" + entry_.substr(entry_.find('/') + 1);
  const net::Downloaded got =
      net::download(client_, request, cache_.partial(part), {{}, wanted_.sha256, ""},
                    settings_.pace, progress_of(name), stop_);
  result_.received = got.received;
  if (got.status == 304 && there) return finish(name);
  if (got.status < 200 || got.status > 299) api_.explain(got.response, reference_);
  result_.files.clear();
  record = {reference_.text(), "", {}, name, got.response.header("etag")};
  record.add({name, "sha256-" + got.sha256, got.size, !wanted_.sha256.empty()});
  cache_.plan(entry_, record);
  cache_.keep(part, record.files[0].blob);
  if (!cache_.link(entry_, record.files[0])) {
    fail(Cause::Internal, reference_.text(), ": its blob vanished while it was linked");
  }
  report(record.files[0], true);
  return finish(name);
}

}  // namespace

Fetched fetch(const Settings& settings, const Wanted& wanted, Watcher& watcher,
              std::stop_token stop) {
  if (settings.offline) {
    Fetched fetched;
    fetched.place = Cache(settings.cache, settings.cache_limit).find(wanted.reference);
    return fetched;
  }
  Fetching fetching(settings, wanted, watcher, std::move(stop));
  return wanted.reference.of_hub() ? fetching.of_hub() : fetching.of_url();
}

}  // namespace affiche::hub
