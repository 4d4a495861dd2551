// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "base/error.h"

namespace affiche::net {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Handle make_handle() {
  Handle handle(curl_url(), &curl_url_cleanup);
  if (!handle) fail(Cause::Unavailable, "URL: out of memory");
  return handle;
}

std::string part(CURLU* handle, CURLUPart which, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void set_url(CURLU* handle, const std::string& text, const std::string& what) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c != 0x7F; });
  const CURLUcode code =
      printable ? curl_url_set(handle, CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME)
                : CURLUE_MALFORMED_INPUT;
  if (code != CURLUE_OK) {
    fail(Cause::BadInput, what, ": expected a URL such as https://example.org/file, found \"",
         shown(text), "\" (", curl_url_strerror(code), ")");
  }
}

Url read(CURLU* handle, const std::string& what) {
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.text = part(handle, CURLUPART_URL);
  url.scheme = lower(part(handle, CURLUPART_SCHEME));
  url.host = lower(part(handle, CURLUPART_HOST));
  url.port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.path = part(handle, CURLUPART_PATH);
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()) {
    fail(Cause::BadInput, what, ": ", shown(url.text),
         ": expected a URL without user name and password; give a token in the environment");
  }
  return url;
}

}  // namespace

Url parse_url(const std::string& text, const std::string& what) {
  const Handle handle = make_handle();
  set_url(handle.get(), text, what);
  return read(handle.get(), what);
}

Url follow(const Url& base, const std::string& location) {
  const std::string what = shown(base.text) + ": redirect";
  const Handle handle = make_handle();
  set_url(handle.get(), base.text, what);
  set_url(handle.get(), location, what);  // relative to the one before
  return read(handle.get(), what);
}

std::string shown(const std::string& url) {
  std::string text = url.substr(0, url.find_first_of("?#"));
  const std::size_t start = text.find("://");
  if (start != std::string::npos) {
    const std::size_t end = text.find('/', start + 3);
    const std::size_t at = text.rfind('@', end == std::string::npos ? end : end - 1);
    if (at != std::string::npos && at > start) text.erase(start + 3, at - start - 2);
  }
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text;
}

std::string escaped(const std::string& segment) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~');
    if (plain) {
      text += c;
    } else {
      text += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

std::string unescaped(const std::string& text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low >= 0) i += 2;
    plain += low >= 0 ? static_cast<char>(high << 4 | low) : text[i];
  }
  return plain;
}

bool names_loopback(const Url& url) {
  return url.host == "localhost" || url.host == "[::1]" || url.host.starts_with("127.");
}

}  // namespace affiche::net
