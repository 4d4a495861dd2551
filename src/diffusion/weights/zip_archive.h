// SPDX-License-Identifier: Apache-2.0
// ZIP archives whose entries are stored and not compressed, as torch.save() writes them (PKWARE
// APPNOTE 6.3, with the 64-bit records that files beyond 4 GiB need).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace affiche::diffusion {

// The bytes of every entry by name, views into `bytes`. Compressed and encrypted entries are
// refused: nothing here can swell. BadInput names `what` and the entry.
std::map<std::string, std::span<const std::uint8_t>> read_zip(std::span<const std::uint8_t> bytes,
                                                              const std::string& what);

// Whether the bytes begin as a ZIP archive does.
bool looks_like_zip(std::span<const std::uint8_t> bytes);

}  // namespace affiche::diffusion
