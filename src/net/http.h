// SPDX-License-Identifier: Apache-2.0
// One GET over HTTPS by libcurl, with every limit that an unattended program needs: bytes, time,
// redirects, schemes and networks. Nothing of the environment (proxies, .netrc, cookies) takes
// part.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/address.h"

namespace affiche::net {

using std::chrono::milliseconds;

// Which networks a request may reach.
enum class Reach {
  Public,  // public addresses only: for URLs that came from outside
  Named,   // the operator named the first host, so it may be anywhere; but a redirect does not lead
           // from the public Internet into a private network
};

struct Limits {
  std::uint64_t bytes = std::uint64_t{16} << 20;  // of the body, counted as they arrive
  milliseconds connect{15'000};                   // name, connection and TLS
  milliseconds total{0};                          // of one hop; 0: none
  milliseconds whole{0};                          // of all hops together; 0: none
  long low_speed = 1024;                          // bytes a second on average …
  std::chrono::seconds low_speed_for{30};         // … over each such span, else given up
  long most_speed = 0;                            // bytes a second; 0: as fast as it comes
  int redirects = 5;
};

struct Request {
  std::string url;
  std::map<std::string, std::string> headers;  // to every host of the way
  std::string token;  // "Authorization: Bearer …", to the origin of `url` and no other host
  std::string authorization;  // in its place: all of the header's value, to the same origin
  // Not empty: a POST of this, as application/x-www-form-urlencoded; no redirect is followed.
  std::string form;
  Limits limits;
  Reach reach = Reach::Public;
  bool plain_loopback = false;  // http:// is allowed where it stays on this machine
  bool plain_http = false;      // http:// is allowed anywhere: nobody vouches for what comes
  // Ports other than 443 (80 of http://) are refused.
  bool standard_ports = false;
  // What every hop must lead to: "api.example.org", or ".example.org" for it and all names below
  // it. Empty: any host.
  std::vector<std::string> hosts;
  // "host:port" of the operator's own servers: for them alone Reach::Named and plain_loopback hold
  // and `standard_ports` does not.
  std::vector<std::string> named;
};

struct Response {
  int status = 0;
  std::string url;                             // of the last hop, as shown() writes it
  std::map<std::string, std::string> headers;  // of the last hop; names in lower case
  std::string problem;                         // start of the body of an answer that is not 2xx
  bool http2 = false;                          // how it came
  int connections = 0;                         // opened for the last hop; 0: one was there
  // Empty when there is no such header.
  std::string header(const std::string& name) const;
  // Content-Length, when it is there and a number.
  std::optional<std::uint64_t> length() const;
  bool good() const { return status >= 200 && status < 300; }
};

// Where the body of a 2xx answer goes. What these throw ends the transfer and reaches the caller.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void start(const Response& response) = 0;  // once, before the first byte
  virtual void write(std::span<const std::uint8_t> bytes) = 0;
};

// An answer or a broken connection after which the same request may succeed: 408, 425, 429, 500,
// 502, 503, 504, timeouts, lost and refused connections, names that did not resolve.
class Transient : public Error {
 public:
  Transient(const std::string& message, std::optional<milliseconds> retry_after = {})
      : Error(Cause::Unavailable, message), retry_after_(retry_after) {}
  // What the server asked for with Retry-After.
  std::optional<milliseconds> retry_after() const { return retry_after_; }

 private:
  std::optional<milliseconds> retry_after_;
};

// "libcurl/7.88.1", for the end of a User-Agent.
std::string library();

class Multiplex;  // net/multiplex.h

struct ClientOptions {
  std::string user_agent;  // "affiche/0.1.0"
  std::string proxy;       // "http://proxy:3128"; empty: none. It resolves names, so the check of
                           // networks is its own to make.
  // What names mean instead of what the name service says: "host:port:address[,address]…".
  std::vector<std::string> resolve = {};
  // Which network a numeric address belongs to; empty: network_of(). For tests, which have no
  // Internet to come from.
  std::function<Network(const std::string&)> network_of = nullptr;
  // Shared by clients whose transfers may go over the same connections; none: this client's own.
  std::shared_ptr<Multiplex> together = nullptr;
  // PEM file of authorities in place of the system's; empty: those. For tests.
  std::string authorities = {};
};

class Transfer;

// Keeps connections open between requests; HTTP/2 where the server has it. Not thread-safe: one for
// each thread.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();

  // A GET, or the POST of a form. Follows redirects, each checked as the first URL is. Answers that
  // are neither 2xx nor transient are returned, with the start of their body. Errors name the URL
  // without its query: Transient; Refused (scheme, network, certificate, too many redirects, too
  // many bytes); BadInput (URL, an encoded body that was not asked for); Cancelled once `stop` is
  // requested.
  Response get(const Request& request, BodySink& sink, std::stop_token stop = {});

 private:
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace affiche::net
