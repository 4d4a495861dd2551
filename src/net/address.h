// SPDX-License-Identifier: Apache-2.0
// Which network an address belongs to. Decided on the address that a connection really goes to,
// never on how a URL spells it.
#pragma once

#include <string>

struct sockaddr;

namespace affiche::net {

enum class Network {
  Loopback,  // 127.0.0.0/8, ::1
  Private,   // every other range that is not of the public Internet: RFC 6890, multicast, and
             // IPv6 forms that carry an IPv4 address of those
  Public,
};

// Private for families other than IPv4 and IPv6.
Network network_of(const sockaddr* address);
// From a numeric address such as "::1"; Private for anything else.
Network network_of(const std::string& numeric);

}  // namespace affiche::net
