// SPDX-License-Identifier: Apache-2.0
// The one way by which photos/ reaches the network: every provider asks through it, so that the
// rules of address, size, time, rate and memory hold for all of them. Kept answers first, then a
// turn (turns.h), then net/, with conditional requests, and parts that are gone on with.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "net/http.h"
#include "photos/turns.h"
#include "photos/web_cache.h"

namespace affiche::photos {

struct FetchSettings {
  std::filesystem::path folder;                        // of cache and accounts
  std::string user_agent;                              // user_agent() makes it
  std::string proxy;                                   // empty: none
  std::uint64_t cache_limit = std::uint64_t{2} << 30;  // bytes; 0: none
  bool offline = false;                                // only what is kept, however old
  bool plain_http = false;                             // http:// to the public Internet
  std::vector<std::string> named;                      // net::Request::named
  std::chrono::milliseconds patience{60'000};  // for turns; longer waits are given up at once
  std::chrono::milliseconds whole{120'000};    // of one request with its redirects
  int attempts = 3;                            // of one request, transient failures only
  Turns::Sleep sleep = {};                     // for tests
  std::vector<std::string> resolve = {};       // net::ClientOptions
};

// "affiche/0.1.0 (+https://site.example; ops@site.example) bot libcurl/7.88.1". Usage when the
// contact is missing: services block those who hide, and all users of a nameless program share one
// rate.
std::string user_agent(const std::string& version, const std::string& site,
                       const std::string& contact);

struct Ask {
  std::string url;            // whole, with its secrets
  std::string public_url;     // without them: for the cache, messages and evidence; empty: `url`
  std::string authorization;  // whole header value; to the URL's own origin only
  std::map<std::string, std::string> headers;
  std::vector<std::string> hosts;  // net::Request::hosts
  std::string turn;                // whose rates it counts against; empty: the URL's host
  Manners manners;
  std::chrono::seconds fresh{24 * 3600};  // a kept answer of this age is not asked for again
  std::uint64_t most_bytes = std::uint64_t{4} << 20;
  long most_speed = 0;  // bytes a second; 0: as fast as it comes
  // Looks at the body of every 2xx answer, a kept one too. What it throws reaches the caller, and
  // the answer is not kept.
  std::function<void(std::span<const std::uint8_t>)> accept = {};
  bool keep = true;  // false for what has an effect, such as a download trigger
  // Not empty: a POST of this form, whose answer touches no disk: keys are exchanged so.
  std::string form = {};
};

struct Got {
  int status = 0;         // 200, or what is not transient: 404 …
  Bytes body;             // of a 2xx answer
  std::string problem;    // start of the body of another one
  std::string sha256;     // of the body
  std::string url;        // that answered at last, without its query
  Millis fetched_at = 0;  // when the body came
  bool cached = false;    // nothing, or only a revalidation, went over the network
  bool good() const { return status >= 200 && status < 300; }
};

class Fetcher {
 public:
  // `clock` must outlive it.
  Fetcher(FetchSettings settings, const Clock& clock);
  ~Fetcher();

  // Thread-safe. Errors as net::Client::get(), and Unavailable when there is no turn, the host's
  // breaker is open, the retries are used up, or offline and nothing is kept.
  Got get(const Ask& ask, std::stop_token stop = {});
  const Clock& clock() const { return clock_; }
  const FetchSettings& settings() const { return settings_; }

 private:
  struct Borrowed;
  Got fetch(const Ask& ask, const std::string& key, const std::optional<Kept>& kept,
            std::stop_token stop);
  Got attempt(const Ask& ask, const std::string& key, const std::optional<Kept>& kept,
              net::Client& client, std::stop_token stop);
  Got post(const Ask& ask, net::Client& client, std::stop_token stop);
  std::optional<Got> from_cache(const Ask& ask, const std::string& key, const Kept& kept) const;

  FetchSettings settings_;
  const Clock& clock_;
  Turns turns_;
  WebCache cache_;
  std::shared_ptr<net::Multiplex> together_;  // outlives the clients
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::Client>> idle_;
};

}  // namespace affiche::photos
