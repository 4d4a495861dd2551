// SPDX-License-Identifier: Apache-2.0
#include "hub/reference.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "net/url.h"

namespace affiche::hub {
namespace {

constexpr std::string_view kHub = "hub:";
constexpr std::size_t kMaxName = 96;

std::string clean(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

bool is_name_character(unsigned char c) {
  return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
}

// "--" parts owner and name in the cache, so no name may hold it; hubs forbid it too.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kMaxName && text.front() != '.' && text.front() != '-' &&
         text.back() != '.' && text.back() != '-' && text.find("..") == std::string::npos &&
         text.find("--") == std::string::npos &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_revision(const std::string& text) {
  return !text.empty() && text.size() <= 200 && text.front() != '/' && text.back() != '/' &&
         text.front() != '-' && text.find("..") == std::string::npos &&
         text.find("//") == std::string::npos &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return is_name_character(c) || c == '/' || c == '+'; });
}

[[noreturn]] void refuse(const std::string& text) {
  fail(Cause::Usage, "\"", clean(text),
       "\": expected hub:OWNER/NAME, hub:OWNER/NAME@REVISION, hub:OWNER/NAME/FILE or "
       "https://HOST/FILE");
}

Reference parse_hub(const std::string& text) {
  Reference reference;
  std::string rest = text.substr(kHub.size());
  const std::size_t at = rest.find('@');
  reference.revision = at == std::string::npos ? "main" : rest.substr(at + 1);
  rest.resize(std::min(at, rest.size()));
  const std::size_t first = rest.find('/');
  if (first == std::string::npos) refuse(text);
  const std::size_t second = rest.find('/', first + 1);
  reference.owner = rest.substr(0, first);
  reference.name =
      rest.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  if (!is_name(reference.owner) || !is_name(reference.name) || !is_revision(reference.revision)) {
    refuse(text);
  }
  if (second != std::string::npos) {
    reference.file = rest.substr(second + 1);
    check_repo_path(reference.file, clean(text));
  }
  return reference;
}

}  // namespace

std::string Reference::text() const {
  if (!of_hub()) return net::shown(url);
  return concat(kHub, repository(), file.empty() ? "" : "/", file, revision == "main" ? "" : "@",
                revision == "main" ? "" : revision);
}

bool is_reference(const std::string& text) {
  return text.starts_with(kHub) || text.starts_with("https://") || text.starts_with("http://");
}

Reference parse_reference(const std::string& text) {
  if (text.starts_with(kHub)) return parse_hub(text);
  if (!is_reference(text)) refuse(text);
  Reference reference;
  reference.url = net::parse_url(text, "URL").text;
  return reference;
}

void check_repo_path(const std::string& path, const std::string& what) {
  bool good = !path.empty() && path.size() <= 1024 && path.front() != '/' && path.back() != '/' &&
              std::none_of(path.begin(), path.end(),
                           [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; });
  for (std::size_t start = 0; good && start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    good = !part.empty() && part != "." && part != ".." && part.size() <= 255;
    start = end + 1;
  }
  if (!good) {
    fail(Cause::BadInput, what, ": expected a path inside the repository, found \"",
         clean(path.substr(0, 200)), "\"");
  }
}

bool is_commit(const std::string& revision) {
  return revision.size() == 40 && std::all_of(revision.begin(), revision.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace affiche::hub
