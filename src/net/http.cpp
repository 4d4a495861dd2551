// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

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

Client::Client(ClientOptions options) : transfer_(std::make_unique<Transfer>(std::move(options))) {}
Client::~Client() = default;

namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void check_scheme(const Url& url, const Request& request, const char* what) {
  if (url.scheme == "https") return;
  if (url.scheme == "http" && request.plain_loopback && names_loopback(url)) return;
  fail(Cause::Refused, shown(url.text), ": ", what, " expected https://, found ", url.scheme,
       "://");
}

}  // namespace

Response Client::get(const Request& request, BodySink& sink, std::stop_token stop) {
  Url url = parse_url(request.url, "URL");
  check_scheme(url, request, "URL:");
  const std::string home = url.origin();
  bool from_public = false;
  for (int redirects = 0;; ++redirects) {
    Hop hop(request, sink, stop, url);
    hop.from_public = from_public;
    transfer_->perform(hop, !request.token.empty() && url.origin() == home);
    const std::string location = hop.response.header("location");
    if (!is_redirect(hop.response.status) || location.empty()) return std::move(hop.response);
    if (redirects == request.limits.redirects) {
      fail(Cause::Refused, shown(request.url), ": expected at most ", request.limits.redirects,
           " redirects, found more, the last to ", shown(location));
    }
    from_public = from_public || hop.network == Network::Public;
    url = follow(url, location);
    check_scheme(url, request, "redirect:");
  }
}

}  // namespace affiche::net
