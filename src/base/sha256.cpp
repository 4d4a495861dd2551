// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <openssl/sha.h>

#include <array>

#include "base/files.h"
#include "base/hex.h"

namespace affiche {

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes.data(), bytes.size(), digest.data());
  return to_hex(digest);
}

std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string sha256_file(const std::filesystem::path& path) {
  return sha256_hex(MappedFile(path).bytes());
}

}  // namespace affiche
