// SPDX-License-Identifier: Apache-2.0
// The local library of photographs: what came in by `affiche photos import`, under the licence
// policy of the configuration. The policy is asked again whenever a photograph is used, so that
// tightening it holds for pictures that are there already. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/photo.h"
#include "photos/picture_check.h"
#include "photos/sidecar.h"
#include "service/config.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

struct FoundPhoto {
  std::string id;  // SHA-256 of the encoded bytes, their name in the artifact folder
  Photo photo;
};

struct ImportedFile {
  enum class Outcome { Imported, Updated, Present, Refused };
  std::filesystem::path file;
  Outcome outcome = Outcome::Refused;
  std::string id;      // empty when refused
  std::string title;   // empty when refused
  std::string reason;  // why it was refused
};

const char* name(ImportedFile::Outcome outcome) noexcept;  // "imported", …

struct FoundRecord {
  store::PhotoRecord record;
  int score = 0;
};

class PhotoLibrary {
 public:
  // All three must outlive it.
  PhotoLibrary(const Config& config, store::Store& store, const store::Artifacts& artifacts);

  // Every .jpg, .jpeg, .png and .webp of the folder and its subfolders in the order of their names,
  // each with its sidecar (photos/sidecar.h). A bad file is refused with its reason and does not
  // stop the others. Updated: known bytes with another credit or keywords. NotFound, BadInput for
  // the folder; Unavailable when the store or the disk does not take more.
  std::vector<ImportedFile> import_folder(const std::filesystem::path& folder);

  // What the policy allows, best first; see photos::rank() for `salt`.
  std::vector<FoundRecord> search(std::string_view query, std::string_view salt = {}) const;

  // The best match, NotFound without one.
  FoundPhoto find(std::string_view query, std::string_view salt = {}) const;
  // By id. NotFound; Refused when the policy does not allow it any more.
  FoundPhoto get(const std::string& id) const;
  // A file that is not of the library, checked like an import. The credit's licence may be written
  // as in a sidecar; its URL may be left out where the licence is known.
  FoundPhoto examine(const std::filesystem::path& file, const Credit& credit) const;
  // The same, kept as an artifact, so that the job does not depend on the file any longer.
  FoundPhoto take(const std::filesystem::path& file, const Credit& credit) const;

 private:
  ImportedFile import_file(const std::filesystem::path& file);
  store::PhotoRecord checked(const Bytes& bytes, const std::filesystem::path& file,
                             photos::Sidecar sidecar) const;
  void keep(const Bytes& bytes, const std::string& id, const std::string& media_type) const;
  void keep_evidence(const std::string& id, const Credit& credit, const std::string& file,
                     const std::string& raw) const;
  Bytes read(const std::filesystem::path& file) const;
  photos::PictureLimits limits() const;

  const Config& config_;
  store::Store& store_;
  const store::Artifacts& artifacts_;
};

}  // namespace affiche::service
