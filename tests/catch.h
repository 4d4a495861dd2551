// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 (one header, Debian 12) or v3 (many headers), whichever is installed.
#pragma once

// libtorch's logging has a CHECK of its own, which ends the program: Catch's must come later.
#if __has_include(<c10/util/Logging.h>)
#include <c10/util/Logging.h>
#undef CHECK
#endif

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
