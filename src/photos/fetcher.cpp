// SPDX-License-Identifier: Apache-2.0
#include "photos/fetcher.h"

#include <utility>

#include "base/error.h"
#include "base/file_lock.h"
#include "net/download.h"
#include "net/multiplex.h"
#include "net/retry.h"
#include "net/url.h"

namespace affiche::photos {

using std::chrono::milliseconds;

namespace {

constexpr Millis kGoneFor = 3'600'000;  // a dead link is believed so long
// Looking through the whole cache is for pictures; small answers are counted with the next one.
constexpr std::size_t kWorthEvicting = 64 << 10;

// Headers that say when, what and under which terms; never cookies.
constexpr const char* kEvidence[] = {"content-type",  "content-length", "date",  "etag",
                                     "last-modified", "link",           "server"};

bool is_gone(int status) {
  return status == 404 || status == 410;
}

std::string label(const Ask& ask) {
  return net::shown(ask.public_url.empty() ? ask.url : ask.public_url);
}

net::Request request_for(const Ask& ask, const FetchSettings& settings) {
  net::Request request;
  request.url = ask.url;
  request.headers = ask.headers;
  request.authorization = ask.authorization;
  request.hosts = ask.hosts;
  request.named = settings.named;
  request.standard_ports = true;
  request.plain_http = settings.plain_http;
  request.limits.bytes = ask.most_bytes;
  request.limits.whole = settings.whole;
  request.limits.most_speed = ask.most_speed;
  return request;
}

}  // namespace

std::string user_agent(const std::string& version, const std::string& site,
                       const std::string& contact) {
  if (contact.empty()) {
    fail(Cause::Usage,
         "site.contact: expected the operator's address for the services that photographs come "
         "from, found none; set it in config.toml, such as contact = \"ops@example.org\"");
  }
  return concat("affiche/", version, " (", site.empty() ? "" : "+" + site + "; ", contact, ") bot ",
                net::library());
}

// A client out of the pool, back into it at the end, with its open connections.
struct Fetcher::Borrowed {
  explicit Borrowed(Fetcher& owner) : fetcher(owner) {
    const std::lock_guard guard(fetcher.mutex_);
    if (!fetcher.idle_.empty()) {
      client = std::move(fetcher.idle_.back());
      fetcher.idle_.pop_back();
    }
  }
  ~Borrowed() {
    const std::lock_guard guard(fetcher.mutex_);
    fetcher.idle_.push_back(std::move(client));
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Fetcher& fetcher;
  std::unique_ptr<net::Client> client;
};

Fetcher::Fetcher(FetchSettings settings, const Clock& clock)
    : settings_(std::move(settings)),
      clock_(clock),
      turns_(settings_.folder / "turns", clock, settings_.patience, settings_.sleep),
      cache_(settings_.folder, settings_.cache_limit),
      together_(std::make_shared<net::Multiplex>()) {}

Fetcher::~Fetcher() = default;

std::optional<Got> Fetcher::from_cache(const Ask& ask, const std::string& key,
                                       const Kept& kept) const {
  auto body = cache_.body(kept);
  if (!body) return {};
  if (ask.accept && kept.status == 200) ask.accept(*body);
  cache_.touch(key);
  Got got;
  got.status = kept.status;
  got.body = std::move(*body);
  got.sha256 = kept.sha256;
  got.url = kept.answered_url;
  got.fetched_at = kept.fetched_at;
  got.cached = true;
  return got;
}

Got Fetcher::post(const Ask& ask, net::Client& client, std::stop_token stop) {
  class Memory final : public net::BodySink {
   public:
    void start(const net::Response&) override { body.clear(); }
    void write(std::span<const std::uint8_t> bytes) override {
      body.insert(body.end(), bytes.begin(), bytes.end());
    }
    Bytes body;
  };
  net::Request request = request_for(ask, settings_);
  request.form = ask.form;
  Memory sink;
  const net::Response response = client.get(request, sink, stop);
  Got got;
  got.status = response.status;
  got.url = response.url;
  got.problem = response.problem;
  got.fetched_at = clock_.now();
  if (response.good()) got.body = std::move(sink.body);
  if (response.good() && ask.accept) ask.accept(got.body);
  return got;
}

Got Fetcher::get(const Ask& ask, std::stop_token stop) {
  const std::string key = WebCache::key_of(ask.public_url.empty() ? ask.url : ask.public_url);
  const auto kept_answer = [&]() -> std::optional<Got> {
    const auto kept = ask.keep && ask.form.empty() ? cache_.find(key) : std::nullopt;
    if (!kept) return {};
    const Millis age = clock_.now() - kept->checked_at;
    const Millis most = is_gone(kept->status) ? kGoneFor : milliseconds(ask.fresh).count();
    // A clock that was set back makes no answer older than it is.
    const bool fresh = age <= most && most > 0;
    return fresh || settings_.offline ? from_cache(ask, key, *kept) : std::nullopt;
  };
  if (auto got = kept_answer()) return std::move(*got);
  if (settings_.offline) {
    fail(Cause::Unavailable, label(ask),
         ": not kept, and photos.offline is on; switch it off or fetch it first");
  }
  if (!ask.form.empty()) return fetch(ask, key, std::nullopt, stop);
  const FileLock guard = FileLock::wait(cache_.lock(key), FileLock::Kind::Exclusive, {}, stop);
  if (auto got = kept_answer()) return std::move(*got);  // another process was quicker
  return fetch(ask, key, ask.keep ? cache_.find(key) : std::nullopt, stop);
}

Got Fetcher::fetch(const Ask& ask, const std::string& key, const std::optional<Kept>& kept,
                   std::stop_token stop) {
  const std::string turn = ask.turn.empty() ? net::parse_url(ask.url, "URL").host : ask.turn;
  Borrowed borrowed(*this);
  if (!borrowed.client) {
    net::ClientOptions options{settings_.user_agent, settings_.proxy};
    options.resolve = settings_.resolve;
    options.together = together_;
    borrowed.client = std::make_unique<net::Client>(options);
  }
  for (int number = 1;; ++number) {
    const Turns::Turn place = turns_.take(turn, ask.manners, stop);
    try {
      Got got = attempt(ask, key, kept, *borrowed.client, stop);
      // A host that forbids is asked ever less, as one that fails.
      turns_.report(turn, got.status == 403 ? Outcome::Failed : Outcome::Good);
      return got;
    } catch (const net::Transient& failure) {
      turns_.report(turn, Outcome::Failed, failure.retry_after().value_or(milliseconds(0)));
      if (number >= settings_.attempts) throw;
      if (failure.retry_after() > settings_.patience) throw;
    }
  }
}

Got Fetcher::attempt(const Ask& ask, const std::string& key, const std::optional<Kept>& kept,
                     net::Client& client, std::stop_token stop) {
  if (!ask.form.empty()) return post(ask, client, stop);
  net::Request request = request_for(ask, settings_);
  const std::filesystem::path partial = cache_.partial(key);
  std::filesystem::create_directories(partial.parent_path());
  const bool begun = std::filesystem::exists(partial);
  if (kept && kept->status == 200 && !begun && cache_.body(*kept)) {
    const auto header = [&](const char* name) {
      const auto found = kept->headers.find(name);
      return found == kept->headers.end() ? "" : found->second;
    };
    if (!header("etag").empty()) request.headers["If-None-Match"] = header("etag");
    if (!header("last-modified").empty()) {
      request.headers["If-Modified-Since"] = header("last-modified");
    }
  }
  const net::Pace once{1, milliseconds(1), milliseconds(1), milliseconds(0)};
  const net::Downloaded came = net::download(client, request, partial, {}, once, {}, stop);

  Kept record;
  record.url = ask.public_url.empty() ? ask.url : ask.public_url;
  record.answered_url = came.response.url;
  record.checked_at = clock_.now();
  if (came.status == 304 && kept) {
    record = *kept;
    record.checked_at = clock_.now();
    cache_.keep(key, record, {});
    if (auto got = from_cache(ask, key, record)) return std::move(*got);
    fail(Cause::Unavailable, label(ask), ": the cache lost it meanwhile, try again");
  }
  Got got;
  got.status = came.status;
  got.url = came.response.url;
  got.problem = came.response.problem;
  got.fetched_at = record.fetched_at = record.checked_at;
  if (came.response.good()) {
    got.body = read_bytes(partial, ask.most_bytes);
    got.sha256 = came.sha256;
    std::filesystem::remove(partial);
    if (ask.accept) ask.accept(got.body);
  } else if (!is_gone(came.status)) {
    return got;
  }
  record.status = came.status == 206 ? 200 : came.status;
  got.status = record.status;
  record.sha256 = got.sha256;
  record.size = got.body.size();
  for (const char* name : kEvidence) {
    const std::string value = came.response.header(name);
    if (!value.empty()) record.headers[name] = value;
  }
  if (ask.keep) {
    cache_.keep(key, record, got.body);
    if (got.body.size() >= kWorthEvicting) cache_.evict();
  }
  return got;
}

}  // namespace affiche::photos
