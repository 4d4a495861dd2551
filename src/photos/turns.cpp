// SPDX-License-Identifier: Apache-2.0
#include "photos/turns.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace affiche::photos {
namespace {

using std::chrono::milliseconds;

constexpr int kSlices = 60;
constexpr int kTripped = 5;             // failures in a row that open the breaker
constexpr Millis kFirstPause = 60'000;  // of an open breaker; doubled each time
constexpr Millis kMostPause = 3'600'000;
constexpr std::size_t kMostBytes = 64 << 10;

struct Account {
  std::map<std::int64_t, std::map<std::int64_t, int>>
      slices;       // by period in ms, by slice: requests
  Millis last = 0;  // when the last request started
  Millis not_before = 0;
  int failures = 0;  // in a row
};

Millis slice_of(Millis period) {
  return std::max<Millis>(1, period / kSlices);
}

// A file that is damaged, say by a full disk, is as none: it is our own and only counts.
Account read_account(const std::filesystem::path& file) {
  Account account;
  try {
    const Json json = parse_json(read_text(file, kMostBytes), file.string());
    account.last = json.at("last").get<Millis>();
    account.not_before = json.at("not_before").get<Millis>();
    account.failures = json.at("failures").get<int>();
    for (const auto& [period, slices] : json.at("slices").items()) {
      for (const auto& [slice, count] : slices.items()) {
        account.slices[std::stoll(period)][std::stoll(slice)] = count.get<int>();
      }
    }
  } catch (const std::exception&) {
    return {};
  }
  return account;
}

void write_account(const std::filesystem::path& file, const Account& account) {
  Json slices = Json::object();
  for (const auto& [period, counts] : account.slices) {
    Json& entry = slices[std::to_string(period)] = Json::object();
    for (const auto& [slice, count] : counts) entry[std::to_string(slice)] = count;
  }
  write_atomically(file, Json{{"last", account.last},
                              {"not_before", account.not_before},
                              {"failures", account.failures},
                              {"slices", slices}}
                             .dump());
}

// The earliest time at which one more request keeps to the rate; forgets what is over.
Millis allowed_at(Account& account, const Rate& rate, Millis now) {
  const Millis period = std::chrono::milliseconds(rate.period).count();
  const Millis slice = slice_of(period);
  auto& counts = account.slices[period];
  // A slice is over when its last instant is a period ago. Slices of the future are of a clock that
  // was set back.
  std::erase_if(counts, [&](const auto& entry) {
    return (entry.first + 1) * slice + period <= now || entry.first * slice > now + slice;
  });
  int used = 0;
  for (const auto& [start, count] : counts) used += count;
  Millis at = now;
  for (const auto& [start, count] : counts) {  // oldest first
    if (used < rate.requests) break;
    used -= count;
    at = (start + 1) * slice + period;
  }
  return at;
}

Millis allowed_at(Account& account, const Manners& manners, Millis now) {
  Millis at = std::max(now, account.not_before);
  if (account.last <= now) at = std::max(at, account.last + manners.gap.count());
  for (const Rate& rate : manners.rates) at = std::max(at, allowed_at(account, rate, now));
  return at;
}

void count(Account& account, const Manners& manners, Millis now) {
  account.last = now;
  for (const Rate& rate : manners.rates) {
    const Millis period = std::chrono::milliseconds(rate.period).count();
    ++account.slices[period][now / slice_of(period)];
  }
  // With the breaker open, this is the trial: the next one waits until it is judged.
  if (account.failures >= kTripped) account.not_before = now + kFirstPause;
}

void wait_for(milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any told;
  std::unique_lock lock(mutex);
  told.wait_for(lock, stop, pause, [] { return false; });
}

}  // namespace

Turns::Turns(std::filesystem::path folder, const Clock& clock, milliseconds patience, Sleep sleep)
    : folder_(std::move(folder)),
      clock_(clock),
      patience_(patience),
      sleep_(sleep ? std::move(sleep) : Sleep(&wait_for)) {}

std::filesystem::path Turns::file(const std::string& key, const char* ending) const {
  std::string name;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    name += plain ? c : '_';
  }
  return folder_ / (name + ending);
}

Turns::Turn Turns::take(const std::string& key, const Manners& manners,
                        std::stop_token stop) const {
  constexpr milliseconds kLook{50};
  milliseconds waited{0};
  const auto pause = [&](milliseconds time, const char* why) {
    if (stop.stop_requested()) fail(Cause::Cancelled, key, ": stopped while waiting for a turn");
    if (waited + time > patience_) {
      fail(Cause::Unavailable, key, ": ", why, "; it may be asked again from ",
           iso8601(clock_.now() + time.count()), " on, try again then");
    }
    sleep_(time, stop);
    waited += time;
  };
  // First a place, so that whoever waits for the rate is one of those few.
  std::optional<FileLock> place;
  while (true) {
    for (int i = 0; i < manners.at_once && !place; ++i) {
      place =
          FileLock::attempt(file(key, concat(".", i, ".place").c_str()), FileLock::Kind::Exclusive);
    }
    if (place) break;
    pause(kLook, "all places are taken");
  }
  while (true) {
    Millis wait = 0;
    {
      const FileLock guard = FileLock::wait(file(key, ".lock"), FileLock::Kind::Exclusive);
      Account account = read_account(file(key, ".json"));
      const Millis now = clock_.now();
      wait = allowed_at(account, manners, now) - now;
      if (wait <= 0) {
        count(account, manners, now);
        write_account(file(key, ".json"), account);
        return Turn(std::move(*place));
      }
    }
    pause(milliseconds(wait), "its rate is used up or it asked for a pause");
  }
}

void Turns::report(const std::string& key, Outcome outcome, milliseconds retry_after) const {
  const FileLock guard = FileLock::wait(file(key, ".lock"), FileLock::Kind::Exclusive);
  Account account = read_account(file(key, ".json"));
  const Millis now = clock_.now();
  const Millis before = account.not_before;
  if (outcome == Outcome::Good) {
    if (account.failures == 0 && retry_after.count() == 0) return;
    if (account.failures >= kTripped) account.not_before = 0;
    account.failures = 0;
  } else {
    ++account.failures;
    if (account.failures >= kTripped) {
      const int doublings = std::min(account.failures - kTripped, 10);
      account.not_before = now + std::min(kMostPause, kFirstPause << doublings);
    }
  }
  if (retry_after.count() > 0) {
    account.not_before = std::max({before, account.not_before, now + retry_after.count()});
  }
  write_account(file(key, ".json"), account);
}

}  // namespace affiche::photos
