// SPDX-License-Identifier: Apache-2.0
// How people name a model that is not on this machine: hub:OWNER/NAME[/FILE][@REV], or the https://
// URL of one file.
#pragma once

#include <string>

namespace affiche::hub {

struct Reference {
  std::string owner, name;  // of the repository; empty for a URL
  std::string file;         // one file of it; empty: the files of a pipeline
  std::string revision;     // branch, tag or commit; "main" when none is given
  std::string url;          // empty for a repository
  bool of_hub() const { return url.empty(); }
  std::string repository() const { return owner + "/" + name; }
  // As a command takes it; a URL without its query.
  std::string text() const;
};

// True for texts that start with "hub:", "https://" or "http://": those never name a local path.
bool is_reference(const std::string& text);

// Usage for everything else than the two forms. Names are ASCII letters, digits, ".", "_" and "-"
// as hubs have them; FILE is a path as check_repo_path() allows it.
Reference parse_reference(const std::string& text);

// Refuses paths that could leave the folder into which a repository's files go, or that no file
// system takes: empty, absolute, "." and ".." and empty parts, backslashes, control characters,
// more than 1024 bytes, parts over 255. BadInput; `what` names where it is from.
void check_repo_path(const std::string& path, const std::string& what);

// 40 hexadecimal digits in lower case: the full id of a commit, which never changes its meaning.
bool is_commit(const std::string& revision);

}  // namespace affiche::hub
