// SPDX-License-Identifier: Apache-2.0
#include "hub/api.h"

#include <algorithm>

#include "base/error.h"
#include "net/retry.h"
#include "net/url.h"

namespace affiche::hub {
namespace {

constexpr std::uint64_t kListingBytes = std::uint64_t{32} << 20;
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 40;

// What a server says about itself, fit for one line of a message.
std::string quoted(std::string text) {
  text.resize(std::min<std::size_t>(text.size(), 200));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text.empty() ? "" : " (\"" + text + "\")";
}

}  // namespace

Api::Api(const Settings& settings) : settings_(settings) {
  const net::Url url = net::parse_url(settings.endpoint, "models.endpoint");
  plain_ = url.scheme == "http" && net::names_loopback(url);
  if (url.scheme != "https" && !plain_) {
    fail(Cause::Usage, "models.endpoint ", net::shown(settings.endpoint),
         ": expected https://, or http:// to this machine");
  }
  origin_ = url.origin();
  endpoint_ = net::shown(url.text);
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
}

net::Request Api::request(const std::string& url) const {
  net::Request request;
  request.url = url;
  request.reach = net::Reach::Named;
  request.plain_loopback = plain_;
  request.limits.bytes = kLargestFile;
  if (net::parse_url(url, "URL").origin() == origin_) request.token = settings_.token;
  return request;
}

std::string Api::listing_url(const Reference& reference) const {
  return concat(endpoint_, "/api/models/", reference.repository(), "/revision/",
                net::escaped(reference.revision), "?blobs=true");
}

std::string Api::file_url(const Reference& reference, const std::string& commit,
                          const std::string& path) const {
  std::string url = concat(endpoint_, "/", reference.repository(), "/resolve/", commit);
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    url += "/" + net::escaped(path.substr(start, end - start));
    start = end + 1;
  }
  return url;
}

Listing Api::list(net::Client& client, const Reference& reference, std::stop_token stop) const {
  net::Request request = this->request(listing_url(reference));
  request.headers["Accept"] = "application/json";
  request.limits.bytes = kListingBytes;
  request.limits.total = net::milliseconds(120'000);
  net::Response response;
  const std::string body = net::get_text(client, request, settings_.pace, response, stop);
  if (!response.good()) explain(response, reference);
  return parse_listing(body, response.url);
}

void Api::explain(const net::Response& response, const Reference& reference) const {
  const std::string code = response.header("x-error-code");
  const std::string what = concat(response.url, ": answered ", response.status);
  const std::string said = quoted(response.header("x-error-message"));
  const bool token = !settings_.token.empty();
  if (code == "GatedRepo") {
    fail(Cause::Refused, what, said, ": the model is gated; accept its terms at ", endpoint_, "/",
         reference.repository(),
         token ? " with the account of the token"
               : " and set HF_TOKEN or AFFICHE_HUB_TOKEN to a token of that account");
  }
  if (response.status == 401) {
    fail(Cause::Refused, what, said, ": ",
         token ? "the token was not accepted; set HF_TOKEN or AFFICHE_HUB_TOKEN to a valid one"
               : "there is no such model, or it is private; check the name, or set HF_TOKEN or "
                 "AFFICHE_HUB_TOKEN");
  }
  if (response.status == 403) {
    fail(Cause::Refused, what, said, ": access is forbidden",
         token ? "; the token does not reach this model" : "; set HF_TOKEN or AFFICHE_HUB_TOKEN");
  }
  if (response.status == 404 || response.status == 410) {
    const char* found = code == "RevisionNotFound" ? ": no such branch, tag or commit"
                        : code == "EntryNotFound"  ? ": no such file in the repository"
                        : !reference.of_hub()      ? ": there is nothing under this URL"
                                                   : ": no such model, revision or file";
    fail(Cause::NotFound, what, said, found, "; check ", reference.text());
  }
  fail(Cause::Unavailable, what, said, ": expected a file");
}

}  // namespace affiche::hub
