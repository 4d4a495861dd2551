// SPDX-License-Identifier: Apache-2.0
#include "photos/providers/web_provider.h"

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "net/url.h"

namespace affiche::photos {
namespace {

constexpr std::size_t kMostShown = 300;
constexpr std::chrono::seconds kPictureFresh{30 * 24 * 3600};
constexpr std::chrono::seconds kRecordFresh{3600};

// The start of what a server says is wrong, without markup's line breaks.
std::string shown_problem(const std::string& problem) {
  std::string text = problem.substr(0, kMostShown);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text.empty() ? "" : ": " + text;
}

[[noreturn]] void refuse_status(const std::string& name, const std::string& url, const Got& got) {
  const std::string text =
      concat(name, ": ", net::shown(url), ": answered ", got.status, shown_problem(got.problem));
  if (got.status == 404 || got.status == 410) fail(Cause::NotFound, text);
  if (got.status == 401 || got.status == 403) {
    fail(Cause::Refused, text, "; check the key and whether the service lets this machine in");
  }
  fail(Cause::BadInput, text);
}

void check_sha1(std::span<const std::uint8_t> body, const std::string& expected,
                const std::string& what) {
  Digest digest(Digest::Kind::Sha1);
  digest.update(body);
  const std::string found = digest.hex();
  if (found != expected) {
    fail(Cause::BadInput, what, ": expected the file with SHA-1 ", expected, ", found ", found,
         "; it was replaced since");
  }
}

const Json& null() {
  static const Json kNull;
  return kNull;
}

}  // namespace

std::string with_query(const std::string& url, const Query& query) {
  std::string text = url;
  char separator = url.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : query) {
    text += separator + name + '=' + net::escaped(value);
    separator = '&';
  }
  return text;
}

const Json& member(const Json& object, const char* key) {
  if (!object.is_object()) return null();
  const auto found = object.find(key);
  return found == object.end() ? null() : *found;
}

namespace {

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool space = byte <= 0x20 || byte == 0x7f;
    if (space && (line.empty() || line.back() == ' ')) continue;
    line += space ? ' ' : c;
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() > kMaxCandidateText) {
    std::size_t end = kMaxCandidateText;  // never within a character
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line.resize(end);
  }
  return line;
}

}  // namespace

std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (value.is_string()) return one_line(value.get<std::string>());
  if (value.is_number_integer()) return value.dump();
  return "";
}

int number_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  double number = 0;
  if (value.is_number()) {
    number = value.get<double>();
  } else if (value.is_string()) {
    try {
      number = std::stod(value.get<std::string>());
    } catch (const std::exception&) {
      return 0;
    }
  }
  return number >= 1 && number < 1e9 ? static_cast<int>(number) : 0;
}

Millis instant_of(const Json& object, const char* key) {
  const std::string text = text_of(object, key);
  const bool digits = !text.empty() && text.size() <= 11 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return Millis{1'000} * std::stoll(text);
  try {
    return text.empty() ? 0 : std::max<Millis>(0, parse_iso8601(text));
  } catch (const Error&) {
    return 0;
  }
}

bool flag_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  return value.is_string() && (value == "true" || value == "True" || value == "1");
}

std::vector<std::string> texts_of(const Json& object, const char* key) {
  constexpr std::size_t kMost = 100;
  const Json& value = member(object, key);
  std::vector<std::string> texts;
  if (value.is_string()) texts.push_back(one_line(value.get<std::string>()));
  if (value.is_array()) {
    for (const Json& item : value) {
      if (item.is_string() && texts.size() < kMost) {
        texts.push_back(one_line(item.get<std::string>()));
      }
    }
  }
  std::erase(texts, "");
  return texts;
}

std::string raw_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + separator) {
    if (c != separator) {
      word += c;
      continue;
    }
    word = one_line(word);
    if (!word.empty()) words.push_back(word);
    word.clear();
  }
  return words;
}

std::string secure(std::string url) {
  if (url.starts_with("//")) url = "https:" + url;
  if (url.starts_with("http://")) url = "https://" + url.substr(7);
  std::string text;
  for (const char c : url) text += c == ' ' ? std::string("%20") : std::string(1, c);
  return text;
}

WebProvider::WebProvider(Traits traits, Fetcher& fetcher, ProviderSettings settings)
    : name_(traits.name),
      traits_(std::move(traits)),
      fetcher_(fetcher),
      settings_(std::move(settings)) {
  if (settings_.base_url.empty()) settings_.base_url = traits_.base;
  while (settings_.base_url.ends_with('/')) settings_.base_url.pop_back();
  const net::Url base = net::parse_url(settings_.base_url, "photos.providers." + name_);
  base_host_ = base.host;
  if (settings_.requests_per_hour > 0) {
    std::erase_if(traits_.api.rates,
                  [](const Rate& rate) { return rate.period == std::chrono::hours(1); });
    traits_.api.rates.push_back({settings_.requests_per_hour, std::chrono::hours(1)});
  }
}

bool WebProvider::is_base_host(const std::string& host) const {
  return host == base_host_;
}

Ask WebProvider::base_ask(const std::string& url) const {
  Ask ask;
  ask.url = url;
  ask.hosts = {base_host_};
  ask.turn = name_;
  ask.manners = traits_.api;
  ask.headers = headers_;
  ask.authorization = authorization_;
  return ask;
}

Json WebProvider::ask(const std::string& path, const Query& query, Answer& answer,
                      std::stop_token stop, const Check& check) {
  Ask asked = base_ask(with_query(with_query(settings_.base_url + path, query), secrets_));
  asked.public_url = with_query(settings_.base_url + path, query);
  return question(std::move(asked), answer, stop, check);
}

Json WebProvider::ask_now(const std::string& path, const Query& query, Answer& answer,
                          std::stop_token stop, const Check& check) {
  Ask asked = base_ask(with_query(with_query(settings_.base_url + path, query), secrets_));
  asked.public_url = with_query(settings_.base_url + path, query);
  asked.fresh = kRecordFresh;
  return question(std::move(asked), answer, stop, check);
}

Json WebProvider::question(Ask asked, Answer& answer, std::stop_token stop, const Check& check) {
  const std::string what = name_ + ": " + net::shown(asked.public_url);
  Json json;
  asked.accept = [&](std::span<const std::uint8_t> body) {
    json = parse_json({reinterpret_cast<const char*>(body.data()), body.size()}, what);
    if (check) check(json);
  };
  asked.authorization = authorization(stop);
  Got got = fetcher_.get(asked, stop);
  if (got.status == 401 && drop_authorization()) {
    asked.authorization = authorization(stop);
    got = fetcher_.get(asked, stop);
  }
  if (!got.good()) refuse_status(name_, asked.public_url, got);
  answer.body = std::move(got.body);
  answer.url = asked.public_url;
  answer.at = got.fetched_at;
  return json;
}

Json WebProvider::ask_secret(const std::string& path, const Query& form, std::stop_token stop) {
  Ask asked = base_ask(settings_.base_url + path);
  asked.keep = false;
  asked.form = with_query("", form).substr(1);
  const std::string what = name_ + ": " + net::shown(asked.url);
  const Got got = fetcher_.get(asked, stop);
  if (!got.good()) {
    fail(Cause::Refused, what, ": answered ", got.status, "; check the key of ", name_);
  }
  try {
    return Json::parse(got.body);
  } catch (const nlohmann::json::exception&) {
    fail(Cause::BadInput, what, ": expected JSON, found something else");
  }
}

void WebProvider::touch(const std::string& url, std::stop_token stop) {
  Ask ask = base_ask(url);
  ask.keep = false;
  const Got got = fetcher_.get(ask, stop);
  if (!got.good()) refuse_status(name_, url, got);
}

Candidate WebProvider::record(const Json& raw, const Answer& answer) const {
  Candidate made;
  made.provider = name_;
  made.raw = raw_of(raw);
  made.raw_url = answer.url;
  made.answered_at = answer.at;
  return made;
}

Fetched WebProvider::thumbnail(const Candidate& candidate, std::stop_token stop) {
  if (candidate.thumbnail_url.empty()) {
    fail(Cause::NotFound, name_, " ", candidate.source_id, ": the record names no small copy");
  }
  Candidate small = candidate;
  small.file_url = candidate.thumbnail_url;
  small.sha1.clear();
  return WebProvider::fetch(small, stop);
}

Fetched WebProvider::fetch(const Candidate& candidate, std::stop_token stop) {
  if (candidate.file_url.empty()) {
    fail(Cause::NotFound, name_, " ", candidate.source_id, ": the record names no picture file");
  }
  Ask ask;
  ask.url = candidate.file_url;
  const net::Url url = net::parse_url(ask.url, name_ + " " + candidate.source_id);
  const std::vector<std::string>& named = fetcher_.settings().named;
  const bool own = std::find(named.begin(), named.end(), url.host + ":" + url.port) != named.end();
  if (!own) ask.url = secure(ask.url);
  ask.hosts = traits_.file_hosts;
  if (!ask.hosts.empty()) ask.hosts.push_back(base_host_);
  ask.turn = url.host + ".files";
  ask.manners = traits_.files;
  ask.fresh = kPictureFresh;
  ask.most_bytes = settings_.most_bytes;
  ask.most_speed = traits_.file_speed;
  const std::string what = name_ + " " + candidate.source_id;
  PictureHeader header;
  ask.accept = [&](std::span<const std::uint8_t> body) {
    header = check_picture(body, what, settings_.limits);
    if (!candidate.sha1.empty()) check_sha1(body, candidate.sha1, what);
  };
  Got got = fetcher_.get(ask, stop);
  if (!got.good()) refuse_status(what, ask.url, got);
  Fetched fetched;
  fetched.bytes = std::move(got.body);
  fetched.sha256 = got.sha256;
  fetched.media_type = header.media_type;
  fetched.width = header.width;
  fetched.height = header.height;
  fetched.url = got.url;
  fetched.fetched_at = got.fetched_at;
  fetched.cached = got.cached;
  return fetched;
}

}  // namespace affiche::photos
