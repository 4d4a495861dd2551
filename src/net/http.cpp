// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include <algorithm>
#include <charconv>

#include "net/transfer.h"

namespace affiche::net {

std::string Response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::uint64_t> Response::length() const {
  const std::string text = header("content-length");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string library() {
  return std::string("libcurl/") + LIBCURL_VERSION;
}

Client::Client(ClientOptions options) : transfer_(std::make_unique<Transfer>(std::move(options))) {}
Client::~Client() = default;

namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_named(const Url& url, const Request& request) {
  const std::string where = url.host + ":" + url.port;
  return std::find(request.named.begin(), request.named.end(), where) != request.named.end();
}

bool is_listed(const std::string& host, const std::vector<std::string>& hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& entry) {
    return entry.starts_with('.') ? host.ends_with(entry) || host == entry.substr(1)
                                  : host == entry;
  });
}

// What can be said before anything is connected.
void check(const Url& url, const Request& request, bool named, const char* what) {
  const bool loopback = (request.plain_loopback || named) && names_loopback(url);
  if (url.scheme != "https" && !(url.scheme == "http" && (loopback || request.plain_http))) {
    fail(Cause::Refused, shown(url.text), ": ", what, " expected https://, found ", url.scheme,
         "://");
  }
  if (request.standard_ports && !named && url.port != (url.scheme == "http" ? "80" : "443")) {
    fail(Cause::Refused, shown(url.text), ": ", what, " expected the usual port, found ", url.port);
  }
  if (!request.hosts.empty() && !is_listed(url.host, request.hosts)) {
    fail(Cause::Refused, shown(url.text), ": ", what, " expected a host such as ",
         request.hosts.front(), ", found ", url.host);
  }
}

}  // namespace

Response Client::get(const Request& request, BodySink& sink, std::stop_token stop) {
  Url url = parse_url(request.url, "URL");
  const std::string home = url.origin();
  const auto start = std::chrono::steady_clock::now();
  bool from_public = false;
  for (int redirects = 0;; ++redirects) {
    const bool named = is_named(url, request);
    check(url, request, named, redirects == 0 ? "URL:" : "redirect:");
    Hop hop(request, sink, stop, url);
    hop.reach = named ? Reach::Named : request.reach;
    hop.from_public = from_public;
    if (request.limits.whole.count() > 0) hop.deadline = start + request.limits.whole;
    transfer_->perform(hop, url.origin() == home);
    const std::string location = hop.response.header("location");
    if (!is_redirect(hop.response.status) || location.empty()) return std::move(hop.response);
    if (!request.form.empty()) {
      fail(Cause::Refused, shown(request.url),
           ": expected an answer to a form, found a redirect to ", shown(location));
    }
    if (redirects == request.limits.redirects) {
      fail(Cause::Refused, shown(request.url), ": expected at most ", request.limits.redirects,
           " redirects, found more, the last to ", shown(location));
    }
    from_public = from_public || hop.network == Network::Public;
    url = follow(url, location);
  }
}

}  // namespace affiche::net
