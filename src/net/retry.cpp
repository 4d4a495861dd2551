// SPDX-License-Identifier: Apache-2.0
#include "net/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

namespace affiche::net {
namespace {

// Up to a quarter more or less.
milliseconds with_jitter(milliseconds pause) {
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> factor(0.75, 1.25);
  return milliseconds(
      static_cast<milliseconds::rep>(static_cast<double>(pause.count()) * factor(random)));
}

void sleep_for(milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any told;
  std::unique_lock lock(mutex);
  told.wait_for(lock, stop, pause, [] { return false; });
  if (stop.stop_requested()) fail(Cause::Cancelled, "stopped while waiting for another try");
}

class TextSink final : public BodySink {
 public:
  void start(const Response&) override { text_.clear(); }
  void write(std::span<const std::uint8_t> bytes) override {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

void Retries::wait_after(const Transient& failure) {
  ++failures_;
  if (failures_ >= pace_.attempts) {
    throw Transient(concat(failure.what(), "; given up after ", failures_,
                           failures_ == 1 ? " attempt" : " attempts", ", try again later"),
                    failure.retry_after());
  }
  if (failure.retry_after() && *failure.retry_after() > pace_.patience) {
    throw Transient(concat(failure.what(), "; the server asks to come back in ",
                           failure.retry_after()->count() / 1000, " s, try again then"),
                    failure.retry_after());
  }
  const int doublings = std::min(failures_ - 1, 20);
  const milliseconds own = with_jitter(std::min(pace_.most, pace_.first * (1 << doublings)));
  sleep_for(failure.retry_after() ? std::max(*failure.retry_after(), milliseconds(1)) : own, stop_);
}

std::string get_text(Client& client, const Request& request, Pace pace, Response& response,
                     std::stop_token stop) {
  Retries retries(pace, stop);
  while (true) {
    try {
      TextSink sink;
      response = client.get(request, sink, stop);
      return sink.take();
    } catch (const Transient& failure) {
      retries.wait_after(failure);
    }
  }
}

}  // namespace affiche::net
