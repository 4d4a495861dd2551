// SPDX-License-Identifier: Apache-2.0
// Adobe's XMP toolkit (exempi) keeps a global namespace table and a global error value: whoever
// uses it starts it and holds its mutex.
#pragma once

#include <mutex>

namespace affiche::cards {

std::mutex& toolkit_mutex();

// Once; registers the namespaces that we read and write. Internal when exempi does not start.
void start_toolkit();

}  // namespace affiche::cards
