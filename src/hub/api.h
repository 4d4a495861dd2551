// SPDX-License-Identifier: Apache-2.0
// The addresses of a hub and the meaning of its answers.
#pragma once

#include <stop_token>
#include <string>

#include "hub/listing.h"
#include "hub/reference.h"
#include "hub/settings.h"
#include "net/http.h"

namespace affiche::hub {

class Api {
 public:
  // Usage for an endpoint that is neither https:// nor http:// to this machine.
  explicit Api(const Settings& settings);

  // A request with the limits, networks and token for this URL. The token is given to the
  // endpoint's origin only.
  net::Request request(const std::string& url) const;
  std::string listing_url(const Reference& reference) const;
  std::string file_url(const Reference& reference, const std::string& commit,
                       const std::string& path) const;
  // Asks the hub. Errors as explain() and parse_listing().
  Listing list(net::Client& client, const Reference& reference, std::stop_token stop) const;
  // Throws what an answer that is not 2xx means, and what to do about it.
  [[noreturn]] void explain(const net::Response& response, const Reference& reference) const;

 private:
  const Settings& settings_;
  std::string endpoint_;  // without a slash at its end
  std::string origin_;
  bool plain_ = false;
};

}  // namespace affiche::hub
