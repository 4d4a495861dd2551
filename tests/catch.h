// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 (one header, Debian 12) or v3 (many headers), whichever is installed.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
