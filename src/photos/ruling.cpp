// SPDX-License-Identifier: Apache-2.0
#include "photos/ruling.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "photos/plain_text.h"
#include "photos/provider_codes.h"

namespace affiche::photos {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// "https://www.example.org:8080/x" -> "www.example.org"
std::string host_of(const std::string& url) {
  const std::size_t start = url.find("://");
  if (start == url.npos) return "";
  const std::string rest =
      lower(url.substr(start + 3, url.find_first_of("/?#", start + 3) - (start + 3)));
  const std::size_t user = rest.rfind('@');
  const std::string host = user == rest.npos ? rest : rest.substr(user + 1);
  return host.substr(0, host.find(':'));
}

bool is_host_or_below(const std::string& host, const std::string& parent) {
  return host == parent || (host.size() > parent.size() && host.ends_with("." + parent));
}

Decision refused(std::string rule, std::string reason) {
  Decision decision;
  decision.rule = std::move(rule);
  decision.reason = std::move(reason);
  return decision;
}

std::string claim_text(const LicenseClaim& claim) {
  std::string text;
  for (const std::string* part :
       {&claim.code, &claim.version, &claim.name, &claim.url, &claim.statement}) {
    if (!part->empty()) text += (text.empty() ? "" : " · ") + *part;
  }
  return text;
}

bool needs_author(const License& license) {
  return !license.public_domain && !license.none_known;
}

// The line on the card begins with "Photo:" itself.
std::string without_lead(const std::string& wished) {
  for (const char* lead : {"photo by ", "photograph by ", "photo: ", "image by ", "by "}) {
    if (lower(wished).starts_with(lead)) return wished.substr(std::string_view(lead).size());
  }
  return wished;
}

std::string author_of(const Candidate& candidate) {
  const std::string wished = without_lead(plain_line(candidate.attribution));
  return wished.empty() ? plain_line(candidate.creator) : wished;
}

// The operator's own word, who needs no page and no age.
bool is_local(const Candidate& candidate) {
  return candidate.provider == "folder" || candidate.provider == "pictures";
}

std::optional<Decision> too_young(const Candidate& candidate, const Policy& policy, Millis now) {
  constexpr Millis kDay = 86'400'000;
  if (is_local(candidate) || candidate.provider == "article") return std::nullopt;
  if (candidate.uploaded_at <= 0) {
    if (!policy.require_upload_date) return std::nullopt;
    return refused("no upload date",
                   "its provider tells no day of upload, and photos.require_upload_date is on");
  }
  if (now - candidate.uploaded_at >= policy.minimum_age_days * kDay) return std::nullopt;
  return refused("too young",
                 concat("it was uploaded on ", iso8601(candidate.uploaded_at).substr(0, 10),
                        ", and photos.minimum_age_days is ", policy.minimum_age_days));
}

std::optional<Decision> against(const Candidate& candidate, const Policy& policy, Millis now) {
  if (candidate.raw.empty() || candidate.answered_at <= 0) {
    return refused("no evidence", "the provider's answer or its time is missing");
  }
  if (candidate.landing_url.empty() && !is_local(candidate)) {
    return refused("no evidence", "the picture has no page that one could look at");
  }
  for (const std::string& word : policy.never) {
    if (matches(candidate, word)) return refused("never", "photos.never has \"" + word + "\"");
  }
  if (!policy.only.empty() &&
      std::none_of(policy.only.begin(), policy.only.end(),
                   [&](const std::string& word) { return matches(candidate, word); })) {
    return refused("not in only", "nothing of photos.only matches it");
  }
  if (!candidate.license.objections.empty()) {
    return refused("objection", "its page says " + plain_line(candidate.license.objections[0]));
  }
  if (candidate.ai == MadeByAi::Yes) {
    return refused("made by AI", "it is no photograph: its provider says that AI made it");
  }
  if (candidate.mature && !policy.allow_mature) {
    return refused("mature", "its provider flags it as mature; photos.allow_mature is off");
  }
  if (candidate.indexed && policy.require_origin) {
    return refused("second hand", "an index says so, and photos.require_origin wants the origin");
  }
  for (const std::string& restriction : candidate.restrictions) {
    if (std::none_of(policy.restrictions.begin(), policy.restrictions.end(),
                     [&](const std::string& one) { return lower(one) == lower(restriction); })) {
      return refused("restriction", "beside copyright there is \"" + plain_line(restriction) +
                                        "\", which photos.restrictions does not have");
    }
  }
  return too_young(candidate, policy, now);
}

std::string checked_url(const std::string& url, const char* field) {
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  const bool odd = std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '<' || c == '>' ||
           c == '\\';
  });
  if (url.empty() || (web && !odd)) return url;
  fail(Cause::Refused, "photo: ", field, ": expected https://…, found \"", plain_line(url), "\"");
}

}  // namespace

bool matches(const Candidate& candidate, const std::string& word) {
  const std::string wanted = lower(word);
  if (wanted.empty()) return false;
  if (wanted.find("://") != wanted.npos) {
    return lower(candidate.landing_url).starts_with(wanted) ||
           lower(candidate.file_url).starts_with(wanted);
  }
  if (wanted == lower(candidate.provider) || wanted == lower(candidate.source)) return true;
  if (wanted == lower(candidate.provider + ":" + candidate.source_id)) return true;
  if (wanted == lower(plain_line(candidate.creator))) return true;
  if (wanted == lower(plain_line(candidate.attribution))) return true;
  return wanted.find('.') != wanted.npos &&
         (is_host_or_below(host_of(candidate.landing_url), wanted) ||
          is_host_or_below(host_of(candidate.file_url), wanted) ||
          is_host_or_below(host_of(candidate.creator_url), wanted));
}

Ruling rule_on(const Candidate& candidate, const Policy& policy, Millis now) {
  Ruling ruling;
  ruling.license = read_claim(candidate.license, candidate.provider);
  ruling.provider = candidate.provider;
  ruling.source_id = candidate.source_id;
  ruling.claim = claim_text(candidate.license);
  ruling.evidence_sha256 = sha256_hex(candidate.raw);
  ruling.evidence_at = candidate.answered_at;
  ruling.uploaded_at = candidate.uploaded_at;
  ruling.decided_at = now;
  if (const auto refusal = against(candidate, policy, now)) {
    ruling.decision = *refusal;
  } else if (contradicts_itself(candidate.license, candidate.provider)) {
    ruling.decision = refused("contradiction", "its licence is " + ruling.license.id +
                                                   ", and the deed is that of " +
                                                   read_license(candidate.license.url).id);
  } else {
    ruling.decision = decide(ruling.license, policy);
    if (ruling.decision.allowed && needs_author(ruling.license) && author_of(candidate).empty()) {
      ruling.decision = refused(
          "no author", ruling.license.id + " wants the author's name, and the record has none");
    }
  }
  return ruling;
}

Credit credit_of(const Candidate& candidate, const Ruling& ruling) {
  if (!ruling.decision.allowed) {
    fail(Cause::Refused, "photo ", candidate.provider, ":", candidate.source_id, ": ",
         ruling.decision.reason);
  }
  Credit credit;
  credit.title = plain_line(candidate.title);
  if (credit.title.empty()) credit.title = "Untitled";
  credit.author = author_of(candidate);
  if (credit.author.empty()) credit.author = "Unknown author";
  credit.author_url = checked_url(candidate.creator_url, "creator_url");
  credit.source = plain_line(candidate.source);
  credit.changes = candidate.changes;
  credit.source_url = checked_url(candidate.landing_url, "landing_url");
  credit.license = ruling.license.id;
  credit.license_url = !ruling.license.url.empty()
                           ? ruling.license.url
                           : checked_url(candidate.license.url, "license_url");
  validate(credit);
  return credit;
}

std::string to_json(const Ruling& ruling) {
  const Decision& decision = ruling.decision;
  return Json{{"allowed", decision.allowed},
              {"rule", decision.rule},
              {"reason", decision.reason},
              {"duties", decision.duties},
              {"card_license", decision.card_license},
              {"license", ruling.license.id},
              {"license_url", ruling.license.url},
              {"provider", ruling.provider},
              {"source_id", ruling.source_id},
              {"claim", ruling.claim},
              {"evidence_sha256", ruling.evidence_sha256},
              {"evidence_at", ruling.evidence_at},
              {"uploaded_at", ruling.uploaded_at},
              {"decided_at", ruling.decided_at}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Ruling ruling_from_json(const std::string& text, const std::string& what) {
  try {
    const Json json = parse_json(text, what);
    Ruling ruling;
    ruling.decision.allowed = json.at("allowed").get<bool>();
    ruling.decision.rule = json.at("rule").get<std::string>();
    ruling.decision.reason = json.at("reason").get<std::string>();
    ruling.decision.duties = json.at("duties").get<std::vector<std::string>>();
    ruling.decision.card_license = json.at("card_license").get<std::string>();
    ruling.license = read_license(json.at("license").get<std::string>());
    if (ruling.license.url.empty()) ruling.license.url = json.at("license_url").get<std::string>();
    ruling.provider = json.at("provider").get<std::string>();
    ruling.source_id = json.at("source_id").get<std::string>();
    ruling.claim = json.at("claim").get<std::string>();
    ruling.evidence_sha256 = json.at("evidence_sha256").get<std::string>();
    ruling.evidence_at = json.at("evidence_at").get<Millis>();
    ruling.uploaded_at = json.value("uploaded_at", Millis{0});  // not in those of before
    ruling.decided_at = json.at("decided_at").get<Millis>();
    return ruling;
  } catch (const nlohmann::json::exception& error) {
    fail(Cause::BadInput, what, ": expected a ruling as affiche writes it: ", error.what());
  }
}

}  // namespace affiche::photos
