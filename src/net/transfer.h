// SPDX-License-Identifier: Apache-2.0
// One request to one host, without redirects and retries. Used by http.cpp.
#pragma once

#include <curl/curl.h>

#include <exception>

#include "net/address.h"
#include "net/http.h"
#include "net/url.h"

namespace affiche::net {

// One request to one host: what the callbacks of libcurl need.
struct Hop {
  Hop(const Request& wanted, BodySink& body, const std::stop_token& told, const Url& where)
      : request(wanted), sink(body), stop(told), url(where) {}
  const Request& request;
  BodySink& sink;
  const std::stop_token& stop;
  const Url& url;
  Reach reach = Reach::Public;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  const ClientOptions* options = nullptr;
  bool proxied = false;
  bool from_public = false;  // an earlier hop was on the public Internet

  Response response;
  Network network = Network::Public;
  std::size_t header_bytes = 0;
  std::uint64_t received = 0;
  bool started = false;
  bool stopped = false;
  bool late = false;
  bool slow = false;
  std::uint64_t arrived = 0;  // bytes of the body within the span that is watched for its speed
  std::optional<std::chrono::steady_clock::time_point> span_start;
  std::string refusal;       // why a connection was not made
  std::exception_ptr error;  // thrown by the sink
};

// libcurl's own state: created once, before the first handle, whatever the thread.
void start_curl();

// A handle of libcurl with its open connections. Not thread-safe.
class Transfer {
 public:
  explicit Transfer(ClientOptions options);
  ~Transfer() { curl_easy_cleanup(easy_); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Fills hop.response. Throws Transient and what get() names.
  void perform(Hop& hop, bool with_token);

 private:
  static CURL* start();
  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (code != CURLE_OK) {
      fail(Cause::Internal, "libcurl: option ", option, ": ", curl_easy_strerror(code));
    }
  }
  void set_limits(const Limits& limits);
  void set_callbacks(Hop& hop);
  void set_form(const std::string& form);
  void judge(Hop& hop, CURLcode code);
  static std::size_t write(char* data, std::size_t size, std::size_t count, void* user);
  static int progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  ClientOptions options_;
  CURL* easy_;
  char message_[CURL_ERROR_SIZE] = "";
};

}  // namespace affiche::net
