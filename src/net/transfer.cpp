// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "net/multiplex.h"

namespace affiche::net {
namespace {

constexpr std::size_t kProblemBytes = 4096;          // kept of a body that says what is wrong
constexpr std::uint64_t kUnwantedBytes = 256 << 10;  // read of a body that nobody wants
constexpr std::size_t kHeaderBytes = std::size_t{64} << 10;

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

bool is_transient(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

void check_header(const std::string& name, const std::string& value) {
  for (const std::string& text : {name, value}) {
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      fail(Cause::Usage, "HTTP header ", trimmed(name.substr(0, name.find_first_of("\r\n"))),
           ": expected one line, found a line break or NUL");
    }
  }
}

// Why the address must not be connected to; empty when it may.
std::string refusal(const Hop& hop, Network network) {
  const auto refuse = [&](const char* expected) {
    return concat(shown(hop.url.text), ": expected ", expected, ", found one ",
                  network == Network::Loopback ? "of this machine" : "of a private network");
  };
  const bool plain = hop.url.scheme == "http" && !hop.request.plain_http;
  if (plain && network != Network::Loopback) {
    return concat(shown(hop.url.text), ": expected an address of this machine for http://, found ",
                  "one of a network; use https://");
  }
  if (network == Network::Public) return "";
  if (hop.reach == Reach::Public) return refuse("a public address");
  if (hop.from_public) {
    return refuse("a public address, as the redirect came from the public Internet");
  }
  return "";
}

Network judged(const Hop& hop, const std::string& numeric) {
  return hop.options->network_of ? hop.options->network_of(numeric) : network_of(numeric);
}

// Empty for an address of another family.
std::string numeric(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> text{};
  const int code =
      getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return code == 0 ? text.data() : "";
}

curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  Hop& hop = *static_cast<Hop*>(user);
  if (!hop.proxied) {
    const std::string refused =
        refusal(hop, judged(hop, numeric(&address->addr, address->addrlen)));
    if (!refused.empty()) {
      hop.refusal = refused;
      return CURL_SOCKET_BAD;
    }
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Also for a connection that was open already, made under the rules of another request.
int before_request(void* user, char* ip, char*, int, int) {
  Hop& hop = *static_cast<Hop*>(user);
  if (hop.proxied) return CURL_PREREQFUNC_OK;
  hop.network = judged(hop, ip);
  hop.refusal = refusal(hop, hop.network);
  return hop.refusal.empty() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  const std::string_view line(data, size * count);
  hop.header_bytes += line.size();
  if (hop.header_bytes > kHeaderBytes) {
    hop.refusal = concat(shown(hop.url.text), ": expected at most ", kHeaderBytes,
                         " bytes of headers, found more");
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // again for the answer proper after an interim one
    const std::size_t space = std::min(line.find(' '), line.size() - 1);
    hop.response.status = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), hop.response.status);
    hop.response.headers.clear();
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name = trimmed(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  hop.response.headers[name] = trimmed(line.substr(colon + 1));
  return line.size();
}

void start_body(Hop& hop) {
  if (hop.started) return;
  hop.started = true;
  const std::string encoding = hop.response.header("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    fail(Cause::BadInput, hop.response.url, ": expected the file as it is, found it encoded as ",
         encoding);
  }
  const auto length = hop.response.length();
  if (length && *length > hop.request.limits.bytes) {
    fail(Cause::Refused, hop.response.url, ": expected at most ", hop.request.limits.bytes,
         " bytes, found ", *length);
  }
  hop.sink.start(hop.response);
}

void take_body(Hop& hop, std::span<const std::uint8_t> bytes) {
  hop.received += bytes.size();
  if (!hop.response.good()) {
    if (hop.response.problem.size() < kProblemBytes) {
      hop.response.problem.append(reinterpret_cast<const char*>(bytes.data()),
                                  std::min(bytes.size(), kProblemBytes));
    }
    if (hop.received > kUnwantedBytes) {
      fail(Cause::Refused, hop.response.url, ": answered ", hop.response.status, " with more than ",
           kUnwantedBytes, " bytes");
    }
    return;
  }
  start_body(hop);
  if (hop.received > hop.request.limits.bytes) {
    fail(Cause::Refused, hop.response.url, ": expected at most ", hop.request.limits.bytes,
         " bytes, found more");
  }
  hop.sink.write(bytes);
}

class StringList {
 public:
  void add(const std::string& text) {
    curl_slist* longer = curl_slist_append(list_.get(), text.c_str());
    if (longer == nullptr) fail(Cause::Unavailable, "libcurl: out of memory");
    static_cast<void>(list_.release());
    list_.reset(longer);
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list_{nullptr, &curl_slist_free_all};
};

}  // namespace

void start_curl() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!started) fail(Cause::Internal, "libcurl does not start");
}

Transfer::Transfer(ClientOptions options) : options_(std::move(options)), easy_(start()) {}

CURL* Transfer::start() {
  start_curl();
  CURL* easy = curl_easy_init();
  if (easy == nullptr) fail(Cause::Unavailable, "libcurl: out of memory");
  return easy;
}

std::size_t Transfer::write(char* data, std::size_t size, std::size_t count, void* user) {
  Hop& hop = *static_cast<Hop*>(user);
  hop.arrived += size * count;
  try {
    take_body(hop, std::span(reinterpret_cast<const std::uint8_t*>(data), size * count));
    return size * count;
  } catch (...) {
    hop.error = std::current_exception();  // libcurl is C: nothing may be thrown through it
    return 0;
  }
}

int Transfer::progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Hop& hop = *static_cast<Hop*>(user);
  hop.stopped = hop.stop.stop_requested();
  const auto now = std::chrono::steady_clock::now();
  hop.late = hop.deadline && now > *hop.deadline;
  const Limits& limits = hop.request.limits;
  if (!hop.span_start) hop.span_start = now;  // behind others it may have waited until now
  if (limits.low_speed > 0 && now - *hop.span_start >= limits.low_speed_for) {
    const auto least = static_cast<std::uint64_t>(limits.low_speed) *
                       static_cast<std::uint64_t>(limits.low_speed_for.count());
    hop.slow = hop.arrived < least;
    hop.span_start = now;
    if (!hop.slow) hop.arrived = 0;
  }
  return hop.stopped || hop.late || hop.slow ? 1 : 0;
}

void Transfer::set_limits(const Limits& limits) {
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.count()));
  set(CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(limits.most_speed));
}

void Transfer::set_callbacks(Hop& hop) {
  set(CURLOPT_WRITEFUNCTION, &Transfer::write);
  set(CURLOPT_WRITEDATA, &hop);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &hop);
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, &hop);
  set(CURLOPT_PREREQFUNCTION, &before_request);
  set(CURLOPT_PREREQDATA, &hop);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::progress);
  set(CURLOPT_XFERINFODATA, &hop);
  set(CURLOPT_ERRORBUFFER, message_);
}

void Transfer::set_form(const std::string& form) {
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form.size()));
  set(CURLOPT_POSTFIELDS, form.c_str());
}

void Transfer::perform(Hop& hop, bool with_token) {
  curl_easy_reset(easy_);  // options only: connections stay open
  hop.options = &options_;
  hop.proxied = !options_.proxy.empty();
  hop.response.url = shown(hop.url.text);
  StringList headers;
  const auto add = [&](const std::string& name, const std::string& value) {
    check_header(name, value);
    headers.add(name + ": " + value);
  };
  StringList answers;
  for (const std::string& answer : options_.resolve) answers.add(answer);
  for (const auto& [name, value] : hop.request.headers) add(name, value);
  const Request& request = hop.request;
  if (with_token && !request.authorization.empty()) {
    add("Authorization", request.authorization);
  } else if (with_token && !request.token.empty()) {
    add("Authorization", "Bearer " + request.token);
  }

  set(CURLOPT_URL, hop.url.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, hop.url.scheme == "http" ? "http" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, options_.proxy.c_str());  // empty: not even the environment's
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_PIPEWAIT, 1L);  // rather another stream than another connection
  if (!options_.authorities.empty()) set(CURLOPT_CAINFO, options_.authorities.c_str());
  if (!request.form.empty()) set_form(request.form);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_RESOLVE, answers.get());
  set_limits(hop.request.limits);
  set_callbacks(hop);
  message_[0] = '\0';
  const CURLcode code =
      options_.together ? options_.together->perform(easy_) : curl_easy_perform(easy_);
  long version = 0, opened = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &opened);
  hop.response.http2 = version == CURL_HTTP_VERSION_2_0;
  hop.response.connections = static_cast<int>(opened);
  judge(hop, code);
}

// Turns what happened into the answer or an error.
void Transfer::judge(Hop& hop, CURLcode code) {
  if (hop.error) std::rethrow_exception(hop.error);
  if (hop.stopped || hop.stop.stop_requested()) {
    fail(Cause::Cancelled, hop.response.url, ": stopped before all of it came");
  }
  if (hop.late) {
    throw Transient(concat(hop.response.url, ": expected an answer within ",
                           hop.request.limits.whole.count(), " ms in all"));
  }
  if (hop.slow) {
    throw Transient(concat(hop.response.url, ": expected at least ", hop.request.limits.low_speed,
                           " bytes a second over ", hop.request.limits.low_speed_for.count(),
                           " s, found ", hop.arrived, " bytes in all"));
  }
  if (code != CURLE_OK && !hop.refusal.empty()) fail(Cause::Refused, hop.refusal);
  if (code != CURLE_OK) {
    const std::string text =
        concat(hop.response.url, ": ", message_[0] != '\0' ? message_ : curl_easy_strerror(code));
    if (is_transient(code)) throw Transient(text);
    if (code == CURLE_URL_MALFORMAT) fail(Cause::BadInput, text);
    fail(code == CURLE_PEER_FAILED_VERIFICATION ? Cause::Refused : Cause::Unavailable, text);
  }
  if (is_transient(hop.response.status)) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds);
    const std::string text = concat(hop.response.url, ": answered ", hop.response.status);
    if (hop.response.header("retry-after").empty()) throw Transient(text);
    throw Transient(text, milliseconds(1000 * std::clamp<curl_off_t>(seconds, 0, 86'400)));
  }
  if (hop.response.good()) start_body(hop);
}

}  // namespace affiche::net
