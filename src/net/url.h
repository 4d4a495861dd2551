// SPDX-License-Identifier: Apache-2.0
// URLs, taken apart and put together by libcurl only, so that what is checked is what is fetched.
#pragma once

#include <string>

namespace affiche::net {

struct Url {
  std::string text;    // without fragment
  std::string scheme;  // lower case
  std::string host;    // lower case; IPv6 in brackets
  std::string port;    // always set
  std::string path;    // starts with "/", percent-encoded

  // "https://example.org:443": what a token is bound to.
  std::string origin() const { return scheme + "://" + host + ":" + port; }
};

// BadInput for text that is no absolute URL, and for one with a user name or password in it, which
// would end up in messages; `what` names where it is from.
Url parse_url(const std::string& text, const std::string& what);
// What a Location header means at `base`. BadInput as parse_url().
Url follow(const Url& base, const std::string& location);

// For messages and records: without query, where signatures and tokens stand, user name, fragment
// and control characters. Never throws.
std::string shown(const std::string& url);

// One path segment, percent-encoded whole ("/" as well).
std::string escaped(const std::string& segment);

// Percent-encoded bytes read; what is no such encoding stays as it is.
std::string unescaped(const std::string& text);

// "localhost", "127.…" or "[::1]": how a URL names this machine. Where a connection goes is checked
// on its address besides.
bool names_loopback(const Url& url);

}  // namespace affiche::net
