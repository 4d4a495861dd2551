// SPDX-License-Identifier: Apache-2.0
#include "service/photo_library.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/sha256.h"
#include "photos/embedded.h"
#include "photos/licenses.h"
#include "photos/picture_check.h"
#include "photos/picture_files.h"
#include "photos/picture_header.h"
#include "photos/ruling.h"
#include "photos/search.h"
#include "service/picture_room.h"
#include "service/take_down.h"

namespace affiche::service {
namespace {

constexpr int kProof = 512;  // pixels a side, of a decoding that is thrown away

void require_allowed(const Credit& credit, const photos::Policy& policy, const std::string& what) {
  const photos::Decision decision = photos::decide(photos::read_license(credit.license), policy);
  if (!decision.allowed) fail(Cause::Refused, what, ": license: ", decision.reason);
}

}  // namespace

const char* name(ImportedFile::Outcome outcome) noexcept {
  switch (outcome) {
    case ImportedFile::Outcome::Imported:
      return "imported";
    case ImportedFile::Outcome::Updated:
      return "updated";
    case ImportedFile::Outcome::Present:
      return "present";
    case ImportedFile::Outcome::Refused:
      return "refused";
  }
  return "refused";
}

PhotoLibrary::PhotoLibrary(const Config& config, store::Store& store,
                           const store::Artifacts& artifacts)
    : config_(config), store_(store), artifacts_(artifacts) {}

std::vector<ImportedFile> PhotoLibrary::import_folder(const std::filesystem::path& folder) {
  std::vector<ImportedFile> report;
  for (const std::filesystem::path& file : photos::picture_files(folder)) {
    try {
      report.push_back(import_file(file));
    } catch (const Error& error) {
      if (error.retryable() || error.cause() == Cause::Internal) throw;
      ImportedFile refused;
      refused.file = file;
      refused.reason = error.what();
      report.push_back(std::move(refused));
    }
  }
  return report;
}

ImportedFile PhotoLibrary::import_file(const std::filesystem::path& file) {
  const auto sidecar = photos::find_sidecar(file);
  // What is inside is parsed in this process, so the file must be what it claims to be.
  if (!sidecar) photos::check_picture(read(file), file.string(), limits());
  const auto embedded = sidecar ? std::nullopt : photos::read_embedded(file);
  if (!sidecar && !embedded) {
    fail(Cause::Refused, file.string(), ": no sidecar with a credit, and no licence inside; add ",
         file.filename().string(), ".toml with title, author, source and license");
  }
  photos::Sidecar credit = sidecar ? photos::read_sidecar(*sidecar) : embedded->sidecar;
  // The licence is asked before the picture is opened.
  require_allowed(credit.credit, config_.photos.policy,
                  sidecar ? sidecar->string() : file.string());
  const Bytes bytes = read(file);
  const store::PhotoRecord record = checked(bytes, file, std::move(credit));

  ImportedFile imported;
  imported.file = file;
  imported.id = record.id;
  imported.title = record.credit.title;
  refuse_taken_down(store_, record.id, file.string());
  const auto known = store_.photo(record.id);
  const bool same = known && known->credit == record.credit && known->keywords == record.keywords;
  imported.outcome = same    ? ImportedFile::Outcome::Present
                     : known ? ImportedFile::Outcome::Updated
                             : ImportedFile::Outcome::Imported;
  if (!same || !artifacts_.has(record.id)) {
    keep(bytes, record.id, record.media_type);
    store_.put_photo(record);
  }
  if (!same) {
    keep_evidence(record.id, record.credit, file.filename().string(),
                  sidecar ? read_text(*sidecar) : embedded->xmp);
  }
  return imported;
}

std::vector<FoundRecord> PhotoLibrary::search(std::string_view query, std::string_view salt) const {
  std::vector<store::PhotoRecord> records = store_.photos();
  std::set<std::string> down;
  for (const store::Revocation& revocation : store_.revocations()) down.insert(revocation.target);
  std::erase_if(records, [&](const store::PhotoRecord& record) {
    return !photos::decide(photos::read_license(record.credit.license), config_.photos.policy)
                .allowed ||
           down.contains(target_of_photo(record.id));
  });
  std::vector<photos::SearchEntry> candidates;
  for (const store::PhotoRecord& record : records) {
    candidates.push_back({record.id, record.credit.title, record.keywords});
  }
  std::vector<FoundRecord> found;
  for (const photos::Match& match : photos::rank(query, candidates, salt)) {
    found.push_back({records[match.index], match.score});
  }
  return found;
}

FoundPhoto PhotoLibrary::find(std::string_view query, std::string_view salt) const {
  const std::vector<FoundRecord> found = search(query, salt);
  if (found.empty()) {
    fail(Cause::NotFound, "photo \"", query,
         "\": no photograph of the library has any of these words; import some with affiche photos "
         "import, or look with affiche photos list");
  }
  const store::PhotoRecord& best = found.front().record;
  return {best.id, Photo(artifacts_.get(best.id), best.credit)};
}

FoundPhoto PhotoLibrary::get(const std::string& id) const {
  const auto record = store_.photo(id);
  if (!record) {
    fail(Cause::NotFound, "photo ", id, ": not in the library; affiche photos list shows the ids");
  }
  refuse_taken_down(store_, id, "photo " + id);
  require_allowed(record->credit, config_.photos.policy, "photo " + id);
  return {id, Photo(artifacts_.get(id), record->credit)};
}

FoundPhoto PhotoLibrary::examine(const std::filesystem::path& file, const Credit& credit) const {
  photos::Sidecar sidecar;
  sidecar.credit = credit;
  const photos::License license = photos::read_license(credit.license);
  sidecar.credit.license = license.id;
  if (credit.license_url.empty()) sidecar.credit.license_url = license.url;
  require_allowed(sidecar.credit, config_.photos.policy, file.string());
  validate(sidecar.credit);
  Bytes bytes = read(file);
  const store::PhotoRecord record = checked(bytes, file, std::move(sidecar));
  refuse_taken_down(store_, record.id, file.string());
  return {record.id, Photo(std::move(bytes), record.credit)};
}

FoundPhoto PhotoLibrary::take(const std::filesystem::path& file, const Credit& credit) const {
  FoundPhoto found = examine(file, credit);
  const Bytes& bytes = found.photo.encoded();
  keep(bytes, found.id, photos::read_picture_header(bytes, file.string()).media_type);
  if (store_.evidence(found.id).empty()) {
    keep_evidence(found.id, found.photo.credit(), file.filename().string(), to_json(credit));
  }
  return found;
}

photos::PictureLimits PhotoLibrary::limits() const {
  return {.max_pixels = std::int64_t{config_.photos.max_megapixels} * 1'000'000};
}

Bytes PhotoLibrary::read(const std::filesystem::path& file) const {
  return read_bytes(file, static_cast<std::size_t>(config_.photos.max_file_mib) << 20);
}

store::PhotoRecord PhotoLibrary::checked(const Bytes& bytes, const std::filesystem::path& file,
                                         photos::Sidecar sidecar) const {
  const photos::PictureHeader header = photos::check_picture(bytes, file.string(), limits());
  if (header.width < config_.photos.min_width) {
    fail(Cause::Refused, file.string(), ": expected a width of at least ", config_.photos.min_width,
         " pixels (photos.min_width), found ", header.width);
  }
  // What harms a decoder harms the locked-up one first, and does not come in.
  RoomSettings room = room_settings(config_.photos);
  room.max_side = kProof;
  decode_foreign(bytes, file.string(), room);
  store::PhotoRecord record;
  record.id = sha256_hex(bytes);
  record.credit = std::move(sidecar.credit);
  record.keywords = std::move(sidecar.keywords);
  record.width = header.width;
  record.height = header.height;
  record.media_type = header.media_type;
  return record;
}

// What a person wrote beside a picture is its evidence, as a provider's answer is of another.
void PhotoLibrary::keep_evidence(const std::string& id, const Credit& credit,
                                 const std::string& file, const std::string& raw) const {
  photos::Ruling ruling;
  ruling.license = photos::read_license(credit.license);
  ruling.decision = photos::decide(ruling.license, config_.photos.policy);
  ruling.provider = "folder";
  ruling.source_id = file;
  ruling.claim = credit.license;
  ruling.evidence_sha256 = sha256_hex(raw);
  ruling.evidence_at = ruling.decided_at = store_.clock().now();
  store_.add_evidence({0, id, ruling.provider, file, credit.source_url, "", photos::to_json(ruling),
                       raw, "", ruling.evidence_at});
}

void PhotoLibrary::keep(const Bytes& bytes, const std::string& id,
                        const std::string& media_type) const {
  artifacts_.put(bytes);
  store_.add_artifact(id, bytes.size(), media_type);
}

}  // namespace affiche::service
