// SPDX-License-Identifier: Apache-2.0
#include "net/download.h"

#include <charconv>

#include "base/digest.h"
#include "net/partial_file.h"
#include "net/url.h"

namespace affiche::net {
namespace {

// So much in one attempt is progress: a server that drips a byte at a time uses its attempts up.
constexpr std::uint64_t kProgressBytes = std::uint64_t{64} << 10;

bool is_strong(const std::string& tag) {
  return tag.size() >= 2 && tag.front() == '"' && tag.back() == '"';
}

struct Range {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> total;
};

// "bytes 100-199/200", "bytes */200"; nothing for other texts.
std::optional<Range> content_range(const std::string& text) {
  if (!text.starts_with("bytes ")) return {};
  Range range;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data() + 6, end, range.first);
  if (first.ec != std::errc() && text[6] != '*') return {};
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return {};
  std::uint64_t total = 0;
  const auto last = std::from_chars(text.data() + slash + 1, end, total);
  if (last.ec == std::errc() && last.ptr == end) range.total = total;
  return range;
}

// One attempt's body into the partial file.
class Appending final : public BodySink {
 public:
  Appending(PartialFile& file, const Expected& expected, const Progress& progress)
      : file_(file), expected_(expected), progress_(progress) {}

  void start(const Response& response) override {
    url_ = response.url;
    const std::string tag = response.header("etag");
    if (response.status == 206) {
      continue_with(response, tag);
    } else {
      file_.restart(is_strong(tag) ? tag : "");
    }
    size_ = response.length();
    if (size_) *size_ += file_.size();
    if (size_ && expected_.size && *size_ != *expected_.size) {
      fail(Cause::BadInput, response.url, ": expected ", *expected_.size, " bytes, found ", *size_,
           "; the server has another file under this name");
    }
  }
  void write(std::span<const std::uint8_t> bytes) override {
    if (expected_.size && file_.size() + bytes.size() > *expected_.size) {
      fail(Cause::BadInput, url_, ": expected ", *expected_.size, " bytes, found more");
    }
    file_.append(bytes);
    received_ += bytes.size();
    if (progress_) progress_(file_.size(), expected_.size ? expected_.size : size_);
  }
  std::uint64_t received() const { return received_; }

 private:
  void continue_with(const Response& response, const std::string& tag) {
    const auto range = content_range(response.header("content-range"));
    const bool other = !tag.empty() && !file_.tag().empty() && tag != file_.tag();
    if (range && range->first == file_.size() && !other) return;
    // Not what was asked for: the next attempt is for the whole file.
    file_.restart("");
    throw Transient(concat(response.url, ": the file changed while it was fetched"),
                    milliseconds(0));
  }
  PartialFile& file_;
  const Expected& expected_;
  const Progress& progress_;
  std::optional<std::uint64_t> size_;
  std::uint64_t received_ = 0;
  std::string url_;
};

// The rest of the file, when it is sure to be of the same file: by its tag, or by its hash later.
void ask_for_rest(Request& request, PartialFile& file, const Expected& expected) {
  request.headers.erase("Range");
  request.headers.erase("If-Range");
  const bool verified = !expected.sha256.empty() || !expected.git_sha1.empty();
  if (file.size() == 0) return;
  if (file.tag().empty() && !verified) {
    file.restart("");
    return;
  }
  request.headers["Range"] = concat("bytes=", file.size(), "-");
  if (!file.tag().empty()) request.headers["If-Range"] = file.tag();
}

// One file from its first byte to its last, over as many attempts as it takes.
class Series {
 public:
  Series(Client& client, Request request, const Expected& expected, Pace pace,
         const Progress& progress, std::stop_token stop)
      : client_(client),
        request_(std::move(request)),
        expected_(expected),
        progress_(progress),
        stop_(stop),
        retries_(pace, stop) {}

  // True when the file is whole; false when the server answered with something else.
  bool run(PartialFile& file, Downloaded& result) {
    while (!is_whole(file)) {
      try {
        if (attempt(file, result)) break;
        return false;
      } catch (const Transient& failure) {
        retries_.wait_after(failure);
      }
    }
    return true;
  }
  // Whether bytes of an earlier answer were kept.
  bool pieced() const { return pieced_; }

 private:
  bool is_whole(PartialFile& file) const {
    if (expected_.size && file.size() > *expected_.size) file.restart("");
    return expected_.size && file.size() == *expected_.size;
  }

  bool attempt(PartialFile& file, Downloaded& result) {
    ask_for_rest(request_, file, expected_);
    if (file.size() > 0) pieced_ = true;
    Appending sink(file, expected_, progress_);
    const auto count = [&] {
      result.received += sink.received();
      if (sink.received() >= kProgressBytes) retries_.progressed();
    };
    try {
      result.response = client_.get(request_, sink, stop_);
    } catch (...) {
      count();
      throw;
    }
    count();
    result.status = result.response.status;
    if (result.status == 416 && file.size() > 0) return unsatisfied(file, result);
    if (!result.response.good()) return false;
    if (expected_.size && file.size() < *expected_.size) {
      throw Transient(concat(result.response.url, ": expected ", *expected_.size,
                             " bytes, found only ", file.size()));
    }
    return true;
  }

  // "Range not satisfiable": all of the file is there, or another one lies behind the URL.
  bool unsatisfied(PartialFile& file, Downloaded& result) {
    const auto range = content_range(result.response.header("content-range"));
    if (range && range->total && *range->total == file.size()) {
      result.status = 206;
      return true;
    }
    file.restart("");
    throw Transient(concat(result.response.url, ": the file changed while it was fetched"),
                    milliseconds(0));
  }

  Client& client_;
  Request request_;
  const Expected& expected_;
  const Progress& progress_;
  std::stop_token stop_;
  Retries retries_;
  bool pieced_ = false;
};

// Empty when the bytes are what they should be.
std::string complaint(const std::filesystem::path& path, const std::string& sha256,
                      const Expected& expected) {
  if (!expected.sha256.empty() && sha256 != expected.sha256) {
    return concat("expected SHA-256 ", expected.sha256, ", found ", sha256);
  }
  if (!expected.git_sha1.empty()) {
    const std::string found = git_blob_sha1(path);
    if (found != expected.git_sha1) {
      return concat("expected git blob ", expected.git_sha1, ", found ", found);
    }
  }
  return "";
}

}  // namespace

Downloaded download(Client& client, Request request, const std::filesystem::path& partial,
                    const Expected& expected, Pace pace, const Progress& progress,
                    std::stop_token stop) {
  Downloaded result;
  if (expected.size) {
    if (*expected.size > request.limits.bytes) {
      fail(Cause::Refused, shown(request.url), ": expected at most ", request.limits.bytes,
           " bytes, found ", *expected.size);
    }
  }
  for (bool again = true;; again = false) {
    PartialFile file(partial);
    const std::uint64_t before = file.size();
    result.resumed = before > 0;
    Series series(client, request, expected, pace, progress, stop);
    if (!series.run(file, result)) {
      if (file.size() == 0) file.remove();
      return result;
    }
    result.size = file.size();
    result.sha256 = file.finish();
    const std::string wrong = complaint(partial, result.sha256, expected);
    if (wrong.empty()) {
      file.remove_tag();
      return result;
    }
    file.remove();
    // Several answers put together may be of several files; one answer is what the server has.
    if (again && (before > 0 || series.pieced())) continue;
    fail(Cause::BadInput, shown(request.url), ": ", wrong,
         "; what came was deleted. Fetch it again; if it stays so, the file on the server is "
         "damaged or was replaced");
  }
}

}  // namespace affiche::net
