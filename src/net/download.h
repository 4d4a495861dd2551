// SPDX-License-Identifier: Apache-2.0
// A large file fetched into a partial file that survives kill -9: the next call goes on where the
// last one ended, and the whole is verified before it counts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "net/http.h"
#include "net/retry.h"

namespace affiche::net {

// What is known about the file beforehand; empty fields are not checked.
struct Expected {
  std::optional<std::uint64_t> size;
  std::string sha256;    // lower-case hexadecimal
  std::string git_sha1;  // of the content as a git blob
};

struct Downloaded {
  int status = 0;     // of the last answer; 0: the partial file was whole already. Not 2xx: no file
  Response response;  // of the last answer
  std::uint64_t size = 0;      // of the file
  std::uint64_t received = 0;  // bytes that came over the network, in all attempts
  std::string sha256;          // of the file
  bool resumed = false;        // a part was there before
};

// Bytes of the file that are there, and its size where it is known.
using Progress = std::function<void(std::uint64_t there, std::optional<std::uint64_t> size)>;

// Fetches into `partial` and, on success, leaves there the verified file, synced to disk. Beside it
// PARTIAL.etag holds the entity tag for If-Range; both stay after a failure for the next call,
// which must be for the same file. The caller holds a lock that keeps others from `partial`. A
// server that ignores Range, whose file changed or whose tag is weak, and no hash is known, is
// asked for the whole file. Bytes that do not hash as expected are deleted; were they put together
// from several answers, the file is fetched once more in one go. `request.limits.bytes` bounds the
// file. Answers that are neither 2xx nor transient are returned by status. Errors as Client::get();
// BadInput for a wrong size or hash, Unavailable when retries are used up or the disk is full.
Downloaded download(Client& client, Request request, const std::filesystem::path& partial,
                    const Expected& expected, Pace pace, const Progress& progress = {},
                    std::stop_token stop = {});

}  // namespace affiche::net
