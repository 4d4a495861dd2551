// SPDX-License-Identifier: Apache-2.0
// Unpredictable identifiers (claim tokens, boot ids, temporary names). Thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace affiche {

// 2 * bytes lower-case hexadecimal digits from the kernel's generator.
std::string random_hex(std::size_t bytes);

}  // namespace affiche
