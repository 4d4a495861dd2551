// SPDX-License-Identifier: Apache-2.0
#include "service/take_down.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "service/card_files.h"

namespace affiche::service {
namespace {

constexpr std::size_t kHash = 64;
constexpr std::size_t kLeastPrefix = 12;

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

// http and https, and any fragment, are one page.
std::string plain_url(std::string url) {
  if (const std::size_t hash = url.find('#'); hash != url.npos) url.resize(hash);
  if (url.starts_with("http://")) url.replace(0, 7, "https://");
  return url;
}

std::string url_target(const std::string& url) {
  return "url:" + plain_url(url);
}

void add(std::vector<std::string>& targets, std::string target) {
  if (std::find(targets.begin(), targets.end(), target) == targets.end()) {
    targets.push_back(std::move(target));
  }
}

// Another size of the same picture has other bytes, so its record is refused too. A folder's page
// may be that of many pictures.
void add_records(const store::Store& store, const std::string& photo_id, TakenDown& down) {
  for (const store::Evidence& evidence : store.evidence(photo_id)) {
    if (evidence.provider == "folder") continue;
    if (!evidence.source_id.empty()) {
      add(down.targets, evidence.provider + ":" + evidence.source_id);
    }
    if (evidence.provider == "pictures") continue;
    if (!evidence.page_url.empty()) add(down.targets, url_target(evidence.page_url));
    if (!evidence.file_url.empty()) add(down.targets, url_target(evidence.file_url));
  }
}

void find_by_url(const store::Store& store, const std::string& url, TakenDown& down) {
  add(down.targets, url_target(url));
  const std::string secure = plain_url(url);
  for (const std::string& form : {url, secure, "http://" + secure.substr(secure.find("://") + 3)}) {
    down.photos.merge(store.photos_behind(form));
  }
}

void find_by_hash(const store::Store& store, std::string hash, TakenDown& down) {
  std::transform(hash.begin(), hash.end(), hash.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  down.photos = store.photos_behind(hash);
  if (hash.size() == kHash) {
    down.photos.insert(hash);
  } else if (down.photos.empty()) {
    fail(Cause::NotFound, "photo ", hash,
         "…: no photograph of the library or the ledger has an id "
         "that begins so; look with affiche photos list");
  } else if (down.photos.size() > 1) {
    fail(Cause::Usage, "photo ", hash, "…: ", down.photos.size(),
         " photographs have an id that begins so; give more digits");
  }
}

}  // namespace

TakenDown take_down(store::Store& store, const std::string& target, const std::string& why) {
  if (why.empty()) fail(Cause::Usage, "take-down: expected a reason, found none; give --why");
  TakenDown down;
  const std::size_t colon = target.find(':');
  if (target.find("://") != target.npos) {
    find_by_url(store, target, down);
  } else if (is_hex(target) && target.size() >= kLeastPrefix && target.size() <= kHash) {
    find_by_hash(store, target, down);
  } else if (colon != target.npos && colon > 0 && colon + 1 < target.size()) {
    add(down.targets, target);
    down.photos = store.photos_behind(target);
  } else {
    fail(Cause::Usage, "take-down \"", target,
         "\": expected a photo's id (12 digits or more), the URL of its page or file, or "
         "PROVIDER:ID such as flickr:4459771899");
  }
  for (const std::string& photo : down.photos) {
    add(down.targets, target_of_photo(photo));
    add_records(store, photo, down);
  }
  down.cards = store.revoke(down.targets, down.photos, why);
  for (const store::AffectedCard& card : down.cards) {
    if (!card.queued && !card.card_path.empty() && withdraw(store, card.card_path)) {
      down.removed.push_back(card.card_path);
    }
  }
  return down;
}

bool withdraw(const store::Store& store, const std::filesystem::path& path) {
  std::error_code unreadable;
  if (!std::filesystem::is_regular_file(path, unreadable)) return false;
  std::string sha256;
  for (const store::CreditEntry& entry : store.credits_of_card(path.string())) {
    if (!store.revoked(std::array{target_of_photo(entry.photo_id)})) continue;
    if (sha256.empty()) sha256 = sha256_hex(read_bytes(path));
    if (sha256 != entry.card_sha256) continue;
    std::filesystem::remove(path, unreadable);
    std::filesystem::remove(credits_path(path), unreadable);
    return true;
  }
  return false;
}

std::vector<std::string> targets_of(const photos::Candidate& candidate) {
  std::vector<std::string> targets;
  if (!candidate.source_id.empty()) {
    add(targets, candidate.provider + ":" + candidate.source_id);
  }
  if (!candidate.landing_url.empty()) add(targets, url_target(candidate.landing_url));
  if (!candidate.file_url.empty()) add(targets, url_target(candidate.file_url));
  return targets;
}

std::string target_of_photo(const std::string& id) {
  return "sha256:" + id;
}

void refuse_taken_down(const store::Store& store, const std::string& id, const std::string& what) {
  if (const auto found = store.revoked(std::array{target_of_photo(id)})) {
    throw TakenDownPhoto(
        concat(what, ": taken down on ", iso8601(found->at).substr(0, 10), ": ", found->why));
  }
}

}  // namespace affiche::service
