// SPDX-License-Identifier: Apache-2.0
// A real HTTP server on loopback that behaves, or misbehaves, as a test tells it to, and keeps what
// it was asked.
#pragma once

#include <httplib.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace affiche::test {

struct Asked {
  std::string path;   // with its query
  std::string token;  // Authorization
  std::string range, if_range, agent;
  Millis at = 0;  // by the clock of tell_time()
};

class Server {
 public:
  Server() {
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response&) {
      const std::lock_guard lock(mutex_);
      asked_.push_back({request.target, request.get_header_value("Authorization"),
                        request.get_header_value("Range"), request.get_header_value("If-Range"),
                        request.get_header_value("User-Agent"), clock_ ? clock_->now() : 0});
      return httplib::Server::HandlerResponse::Unhandled;
    });
    server_.set_keep_alive_timeout(1);
    port_ = server_.bind_to_any_port("127.0.0.1");
    if (port_ < 0) fail(Cause::Internal, "no port on loopback");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Server() {
    server_.stop();
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "http://127.0.0.1:PORT" + path; with another host name it is another origin.
  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // How often paths that start so were asked for.
  std::ptrdiff_t count(const std::string& start) const {
    const auto all = asked();
    return std::count_if(all.begin(), all.end(),
                         [&](const Asked& one) { return one.path.starts_with(start); });
  }
  // Before anything is asked; the clock must be safe for threads.
  void tell_time(const Clock& clock) { clock_ = &clock; }
  void forget() {
    const std::lock_guard lock(mutex_);
    asked_.clear();
  }
  // `path` is a regular expression.
  void get(const std::string& path, httplib::Server::Handler handler) {
    server_.Get(path, std::move(handler));
  }
  void post(const std::string& path, httplib::Server::Handler handler) {
    server_.Post(path, std::move(handler));
  }

 private:
  httplib::Server server_;
  int port_ = -1;
  const Clock* clock_ = nullptr;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
};

using Reply = httplib::Response;
using Question = httplib::Request;

// A file as a static server gives it: with its tag, and with Range and If-Range honoured (the
// library cuts the range out of the content by itself).
inline void give_file(const Question& question, Reply& answer, const std::string& content,
                      const std::string& tag = "\"v1\"") {
  if (!tag.empty()) answer.set_header("ETag", tag);
  const std::string condition = question.get_header_value("If-Range");
  if (!condition.empty() && condition != tag) const_cast<Question&>(question).ranges.clear();
  if (!question.ranges.empty() &&
      question.ranges[0].first >= static_cast<ssize_t>(content.size())) {
    const_cast<Question&>(question).ranges.clear();
    answer.status = 416;
    answer.set_header("Content-Range", "bytes */" + std::to_string(content.size()));
    return;
  }
  answer.set_content(content, "application/octet-stream");
}

// The same, but the connection breaks after `bytes` of what was asked for.
inline void break_after(const Question& question, Reply& answer, const std::string& content,
                        std::size_t bytes, const std::string& tag = "\"v1\"") {
  if (!tag.empty()) answer.set_header("ETag", tag);
  const std::string condition = question.get_header_value("If-Range");
  if (!condition.empty() && condition != tag) const_cast<Question&>(question).ranges.clear();
  auto left = std::make_shared<std::size_t>(bytes);
  answer.set_content_provider(
      content.size(), "application/octet-stream",
      [content, left](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        const std::size_t count = std::min(length, *left);
        *left -= count;
        if (count > 0) sink.write(content.data() + offset, count);
        return *left > 0;
      });
}

// Bytes that no compression and no mistake in an offset leaves unnoticed.
inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  unsigned state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace affiche::test
