// SPDX-License-Identifier: Apache-2.0
// What a hub says about a repository: GET {endpoint}/api/models/OWNER/NAME/revision/REV?blobs=true.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace affiche::hub {

struct RepoFile {
  std::string path;                   // checked by check_repo_path()
  std::optional<std::uint64_t> size;  // bytes
  std::string sha256;                 // of files in large-file storage; else empty
  std::string git_sha1;               // of all others, when the hub names it
};

struct Listing {
  std::string commit;
  std::vector<RepoFile> files;  // sorted by path
};

// The answer's body. BadInput when it is not such an object, when the commit is not 40 hexadecimal
// digits, and for paths that are unsafe or there twice; `what` is the URL.
Listing parse_listing(const std::string& body, const std::string& what);

}  // namespace affiche::hub
