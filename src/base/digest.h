// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes that come in pieces, by libcrypto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace affiche {

// One running hash. Not thread-safe.
class Digest {
 public:
  enum class Kind { Sha256, Sha1 };
  explicit Digest(Kind kind);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(std::span<const std::uint8_t> bytes);
  // Lower-case hexadecimal digits. Call it once; the object is spent afterwards.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The id that git gives a file's content: SHA-1 over "blob LENGTH\0" and the bytes. Errors as
// read_bytes().
std::string git_blob_sha1(const std::filesystem::path& path);

}  // namespace affiche
