// SPDX-License-Identifier: Apache-2.0
// Precompiled: the tensor library's headers dominate the time to compile this folder.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
