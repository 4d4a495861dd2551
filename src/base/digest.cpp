// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "base/files.h"
#include "base/hex.h"

namespace affiche {

struct Digest::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> evp{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Digest::Digest(Kind kind) : context_(std::make_unique<Context>()) {
  const EVP_MD* method = kind == Kind::Sha256 ? EVP_sha256() : EVP_sha1();
  if (!context_->evp || EVP_DigestInit_ex(context_->evp.get(), method, nullptr) != 1) {
    fail(Cause::Internal, "libcrypto: cannot start a hash");
  }
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::span<const std::uint8_t> bytes) {
  if (EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) != 1) {
    fail(Cause::Internal, "libcrypto: cannot hash");
  }
}

std::string Digest::hex() {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_->evp.get(), digest.data(), &size) != 1) {
    fail(Cause::Internal, "libcrypto: cannot finish a hash");
  }
  return to_hex({digest.data(), size});
}

std::string git_blob_sha1(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::string head = concat("blob ", file.bytes().size());
  head += '\0';
  Digest digest(Digest::Kind::Sha1);
  digest.update(std::span(reinterpret_cast<const std::uint8_t*>(head.data()), head.size()));
  digest.update(file.bytes());
  return digest.hex();
}

}  // namespace affiche
