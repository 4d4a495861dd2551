// SPDX-License-Identifier: Apache-2.0
// SHA-256 by libcrypto, which uses the CPU's SHA instructions. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace affiche {

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::uint8_t> bytes);
std::string sha256_hex(std::string_view text);
// Of a file's content, read in pieces. Errors as read_bytes().
std::string sha256_file(const std::filesystem::path& path);

}  // namespace affiche
