// SPDX-License-Identifier: Apache-2.0
// What the providers of the network have in common: questions that count against their rates,
// answers as JSON that nobody vouches for, and pictures from their own hosts.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "photos/fetcher.h"
#include "photos/picture_check.h"
#include "photos/provider.h"

namespace affiche::photos {

struct ProviderSettings {
  std::string base_url;       // of the API; empty: the provider's own
  std::string key;            // of the operator, where the provider wants one
  std::string app;            // name of the program as the provider knows it (utm_source)
  int requests_per_hour = 0;  // what the operator's key allows; 0: the provider's usual rate
  // For `article`: whose pages, and the rights that the operator declares for their pictures.
  std::vector<std::string> sites;
  std::string license, author, source;
  std::filesystem::path folder;  // for `pictures`
  PictureLimits limits;
  std::uint64_t most_bytes = std::uint64_t{64} << 20;
};

// Names and values of a query, in order; values are percent-encoded.
using Query = std::vector<std::pair<std::string, std::string>>;
std::string with_query(const std::string& url, const Query& query);

// Values of JSON from outside: what is missing or of another type is empty. Text comes as one line
// without controls, cut at kMaxCandidateText.
std::string text_of(const nlohmann::ordered_json& object, const char* key);
int number_of(const nlohmann::ordered_json& object, const char* key);
bool flag_of(const nlohmann::ordered_json& object, const char* key);
// Lists of texts; a lone text is a list of one.
std::vector<std::string> texts_of(const nlohmann::ordered_json& object, const char* key);
// "2012-09-25T10:00:00Z", or seconds since 1970 as text or number, as Millis; else 0.
Millis instant_of(const nlohmann::ordered_json& object, const char* key);
// The member, or null.
const nlohmann::ordered_json& member(const nlohmann::ordered_json& object, const char* key);
// As evidence: the bytes as they parse, without surprises of encoding.
std::string raw_of(const nlohmann::ordered_json& object);
// Words of a list "a, b, c".
std::vector<std::string> split(const std::string& text, char separator);
// An https URL for one that starts with http:// or //, spaces escaped.
std::string secure(std::string url);

class WebProvider : public Provider {
 public:
  const std::string& name() const override { return name_; }
  Fetched fetch(const Candidate& candidate, std::stop_token stop) override;
  Fetched thumbnail(const Candidate& candidate, std::stop_token stop) override;
  void used(const Candidate&, std::stop_token) override {}

 protected:
  struct Traits {
    const char* name;
    const char* base;                     // of the API
    Manners api;                          // rates of the API
    Manners files;                        // and of the host of its pictures
    std::vector<std::string> file_hosts;  // empty: any public host
    long file_speed = 0;                  // bytes a second; 0: as fast as it comes
  };
  WebProvider(Traits traits, Fetcher& fetcher, ProviderSettings settings);

  struct Answer {
    Bytes body;
    std::string url;  // without secrets
    Millis at = 0;
  };
  // A GET of the API. `secrets` are query parameters that neither cache nor messages see. `check`
  // may throw for an answer that says "no" with status 200: it is then not kept. NotFound for 404,
  // Refused for 401 and 403, BadInput for others that are not 2xx.
  using Check = std::function<void(const nlohmann::ordered_json&)>;
  nlohmann::ordered_json ask(const std::string& path, const Query& query, Answer& answer,
                             std::stop_token stop, const Check& check = {});
  // The same for a record as it is now: an answer of the last hour will do.
  nlohmann::ordered_json ask_now(const std::string& path, const Query& query, Answer& answer,
                                 std::stop_token stop, const Check& check = {});
  // The POST of a form, for what is told to nobody else: neither question nor answer is kept, and
  // no error repeats them. Refused for any answer that is not 2xx.
  nlohmann::ordered_json ask_secret(const std::string& path, const Query& form,
                                    std::stop_token stop);
  // The same for what has an effect and no content.
  void touch(const std::string& url, std::stop_token stop);

  // Starts a record with what all of them hold.
  Candidate record(const nlohmann::ordered_json& raw, const Answer& answer) const;
  bool is_base_host(const std::string& host) const;
  const std::string& base() const { return settings_.base_url; }
  const ProviderSettings& settings() const { return settings_; }
  // The header's value for a question of now; another one after 401 if there can be another.
  virtual std::string authorization(std::stop_token) { return authorization_; }
  virtual bool drop_authorization() { return false; }
  const Clock& clock() const { return fetcher_.clock(); }
  // Set by the constructors of providers with keys.
  std::string authorization_;
  std::map<std::string, std::string> headers_;
  Query secrets_;

 private:
  Ask base_ask(const std::string& url) const;
  nlohmann::ordered_json question(Ask ask, Answer& answer, std::stop_token stop,
                                  const Check& check);
  std::string name_;
  Traits traits_;
  Fetcher& fetcher_;
  ProviderSettings settings_;
  std::string base_host_;
};

}  // namespace affiche::photos
