// SPDX-License-Identifier: Apache-2.0
// One error for all the ways in which libtorch says that there is no more memory.
#pragma once

#include <string>

namespace affiche::diffusion {

// To be called in a catch block: throws Unavailable when the exception at hand says that memory ran
// out, naming `what` needed it, how much more it was where that is known, and the remedy; throws
// the exception itself otherwise. `what`: "decoding 2 pictures of 512x512".
[[noreturn]] void rethrow_out_of_memory(const std::string& what, const std::string& remedy);

}  // namespace affiche::diffusion
