// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace affiche::net {
namespace {

struct Range {
  std::uint32_t start;
  int bits;
};

// IANA's special-purpose registry (RFC 6890 and later), with multicast and the old class E.
constexpr std::array<Range, 14> kPrivate4 = {{{0x00000000, 8},    // this network
                                              {0x0A000000, 8},    // private
                                              {0x64400000, 10},   // carrier-grade NAT
                                              {0xA9FE0000, 16},   // link-local
                                              {0xAC100000, 12},   // private
                                              {0xC0000000, 24},   // protocol assignments
                                              {0xC0000200, 24},   // documentation
                                              {0xC0586300, 24},   // 6to4 relays
                                              {0xC0A80000, 16},   // private
                                              {0xC6120000, 15},   // benchmarks
                                              {0xC6336400, 24},   // documentation
                                              {0xCB007100, 24},   // documentation
                                              {0xE0000000, 4},    // multicast
                                              {0xF0000000, 4}}};  // reserved, broadcast

Network network_of4(std::uint32_t address) {
  if (address >> 24 == 127) return Network::Loopback;
  for (const Range& range : kPrivate4) {
    if ((address ^ range.start) >> (32 - range.bits) == 0) return Network::Private;
  }
  return Network::Public;
}

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

bool starts_with(std::span<const std::uint8_t, 16> address,
                 std::initializer_list<std::uint8_t> bytes) {
  return std::memcmp(address.data(), bytes.begin(), bytes.size()) == 0;
}

Network network_of6(std::span<const std::uint8_t, 16> a) {
  static constexpr std::array<std::uint8_t, 16> kOne = {0, 0, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 1};
  if (std::memcmp(a.data(), kOne.data(), 16) == 0) return Network::Loopback;
  // ::ffff:a.b.c.d is an IPv4 connection. The translated forms are judged by what they carry, but
  // a translated loopback address is nobody's own machine: Private.
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) {
    return network_of4(big_endian(&a[12]));
  }
  const auto carried = [](std::uint32_t address) {
    return network_of4(address) == Network::Public ? Network::Public : Network::Private;
  };
  if (starts_with(a, {0x20, 0x02})) return carried(big_endian(&a[2]));  // 6to4
  if (starts_with(a, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return carried(big_endian(&a[12]));  // NAT64
  }
  // Of what is left only 2000::/3 is assigned to the Internet; in it lie 2001::/23 (Teredo,
  // ORCHID, benchmarks: RFC 6890) and two ranges for documentation.
  const bool unicast = (a[0] & 0xE0) == 0x20;
  const bool protocols = starts_with(a, {0x20, 0x01}) && a[2] < 2;
  if (!unicast || protocols || starts_with(a, {0x20, 0x01, 0x0D, 0xB8}) ||
      starts_with(a, {0x3F, 0xFF})) {
    return Network::Private;
  }
  // ISATAP (RFC 5214): the interface part 0:5efe or 200:5efe carries an IPv4 address.
  if ((a[8] & 0xFD) == 0 && a[9] == 0 && a[10] == 0x5E && a[11] == 0xFE) {
    return carried(big_endian(&a[12]));
  }
  return Network::Public;
}

}  // namespace

Network network_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return network_of4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    return network_of6(std::span<const std::uint8_t, 16>(in.sin6_addr.s6_addr, 16));
  }
  return Network::Private;
}

Network network_of(const std::string& numeric) {
  in_addr four{};
  in6_addr six{};
  const std::string plain = numeric.substr(0, numeric.find('%'));
  if (inet_pton(AF_INET, plain.c_str(), &four) == 1) return network_of4(ntohl(four.s_addr));
  if (inet_pton(AF_INET6, plain.c_str(), &six) == 1) {
    return network_of6(std::span<const std::uint8_t, 16>(six.s6_addr, 16));
  }
  return Network::Private;
}

}  // namespace affiche::net
