// SPDX-License-Identifier: Apache-2.0
#include "hub/listing.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "hub/reference.h"

namespace affiche::hub {
namespace {

constexpr std::size_t kMaxFiles = 50'000;

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string hex_member(const Json& object, const char* key, std::size_t digits,
                       const std::string& what) {
  const Json* value = member(object, key);
  if (value == nullptr) return "";
  if (!value->is_string() || !is_hex(value->get<std::string>(), digits)) {
    fail(Cause::BadInput, what, ": ", key, ": expected ", digits, " hexadecimal digits");
  }
  return value->get<std::string>();
}

std::optional<std::uint64_t> size_member(const Json& object, const std::string& what) {
  const Json* value = member(object, "size");
  if (value == nullptr) return {};
  if (!value->is_number_unsigned()) fail(Cause::BadInput, what, ": size: expected a whole number");
  return value->get<std::uint64_t>();
}

RepoFile read_file(const Json& sibling, const std::string& what) {
  const Json* name = member(sibling, "rfilename");
  if (name == nullptr || !name->is_string()) {
    fail(Cause::BadInput, what, ": siblings: expected objects with \"rfilename\"");
  }
  RepoFile file;
  file.path = name->get<std::string>();
  check_repo_path(file.path, what);
  file.size = size_member(sibling, what + ": " + file.path);
  if (const Json* large = member(sibling, "lfs")) {
    // The blob of such a file is a pointer; its own hash says nothing about the content.
    file.sha256 = hex_member(*large, "sha256", 64, what + ": " + file.path);
    if (const auto size = size_member(*large, what + ": " + file.path)) file.size = size;
  } else {
    file.git_sha1 = hex_member(sibling, "blobId", 40, what + ": " + file.path);
  }
  return file;
}

// A proxy's login page and an endpoint that is no hub answer with a page.
[[noreturn]] void refuse_page(const std::string& body, const std::string& what) {
  const bool page = body.find_first_not_of(" \t\r\n") != std::string::npos &&
                    body[body.find_first_not_of(" \t\r\n")] == '<';
  fail(Cause::BadInput, what, ": expected JSON from a hub, found ",
       page           ? "a web page"
       : body.empty() ? "nothing"
                      : "something else",
       "; is models.endpoint a hub, and does the network ask for a login?");
}

}  // namespace

Listing parse_listing(const std::string& body, const std::string& what) {
  Json json;
  try {
    json = parse_json(body, what);
  } catch (const Error&) {
    refuse_page(body, what);
  }
  Listing listing;
  listing.commit = hex_member(json, "sha", 40, what);
  const Json* siblings = member(json, "siblings");
  if (listing.commit.empty() || siblings == nullptr || !siblings->is_array()) {
    fail(Cause::BadInput, what, ": expected an object with \"sha\" and \"siblings\"");
  }
  if (siblings->size() > kMaxFiles) {
    fail(Cause::Refused, what, ": expected at most ", kMaxFiles, " files, found ",
         siblings->size());
  }
  for (const Json& sibling : *siblings) listing.files.push_back(read_file(sibling, what));
  const auto by_path = [](const RepoFile& a, const RepoFile& b) { return a.path < b.path; };
  std::sort(listing.files.begin(), listing.files.end(), by_path);
  const auto twice =
      std::adjacent_find(listing.files.begin(), listing.files.end(),
                         [](const RepoFile& a, const RepoFile& b) { return a.path == b.path; });
  if (twice != listing.files.end()) {
    fail(Cause::BadInput, what, ": ", twice->path, ": listed twice");
  }
  return listing;
}

}  // namespace affiche::hub
