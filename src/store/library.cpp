// SPDX-License-Identifier: Apache-2.0
// Photographs, generated pictures, artifacts and the ledger.
#include "base/error.h"
#include "store/database.h"
#include "store/job_rows.h"
#include "store/ledger_rows.h"
#include "store/store.h"

namespace affiche::store {
namespace {

#define AFFICHE_PHOTO_COLUMNS "id, credit, keywords, width, height, media_type, imported"

PhotoRecord read_photo(const Query& row) {
  PhotoRecord photo;
  photo.id = row.text(0);
  photo.credit = credit_from_json(row.text(1), "photo " + photo.id);
  photo.keywords = texts_from_json(row.text(2));
  photo.width = static_cast<int>(row.integer(3));
  photo.height = static_cast<int>(row.integer(4));
  photo.media_type = row.text(5);
  photo.imported_at = row.integer(6);
  return photo;
}

CreditEntry read_credit(const Query& row) {
  CreditEntry entry;
  entry.id = row.integer(0);
  if (!row.is_null(1)) entry.job_id = row.integer(1);
  entry.card_path = row.text(2);
  entry.card_sha256 = row.text(3);
  entry.photo_id = row.text(4);
  entry.credit = credit_from_json(row.text(5), "ledger row " + std::to_string(entry.id));
  entry.line = row.text(6);
  entry.at = row.integer(7);
  entry.site = row.text(8);
  entry.evidence_sha256 = row.text(9);
  return entry;
}

}  // namespace

void insert_credit(Connection& connection, const CreditEntry& entry, Millis now) {
  validate(entry.credit);
  Query(connection,
        "INSERT INTO credits (job_id, card_path, card_sha256, photo_id, credit, line, at, site, "
        "evidence_sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        entry.job_id, entry.card_path, entry.card_sha256, entry.photo_id, to_json(entry.credit),
        entry.line, entry.at != 0 ? entry.at : now, entry.site, entry.evidence_sha256)
      .run();
}

void Store::put_photo(const PhotoRecord& photo) {
  validate(photo.credit);
  database_->write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO photos (" AFFICHE_PHOTO_COLUMNS
          ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
          "ON CONFLICT (id) DO UPDATE SET credit = excluded.credit, keywords = excluded.keywords, "
          "width = excluded.width, height = excluded.height, media_type = excluded.media_type, "
          "imported = excluded.imported",
          photo.id, to_json(photo.credit), texts_to_json(photo.keywords), photo.width, photo.height,
          photo.media_type, photo.imported_at != 0 ? photo.imported_at : clock_.now())
        .run();
  });
}

std::optional<PhotoRecord> Store::photo(const std::string& id) const {
  return database_->read([&](Connection& connection) -> std::optional<PhotoRecord> {
    Query row(connection, "SELECT " AFFICHE_PHOTO_COLUMNS " FROM photos WHERE id = ?1", id);
    if (!row.next()) return std::nullopt;
    return read_photo(row);
  });
}

std::vector<PhotoRecord> Store::photos() const {
  return database_->read([](Connection& connection) {
    std::vector<PhotoRecord> photos;
    Query rows(connection,
               "SELECT " AFFICHE_PHOTO_COLUMNS " FROM photos ORDER BY imported DESC, id");
    while (rows.next()) photos.push_back(read_photo(rows));
    return photos;
  });
}

bool Store::remove_photo(const std::string& id) {
  return database_->write([&](Connection& connection) {
    return Query(connection, "DELETE FROM photos WHERE id = ?1 RETURNING id", id).run() == 1;
  });
}

void Store::put_generated(const std::string& recipe_sha256, const std::string& recipe_json,
                          const std::string& artifact) {
  database_->write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO generated (recipe_sha256, recipe, artifact, created) "
          "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (recipe_sha256) DO UPDATE SET "
          "recipe = excluded.recipe, artifact = excluded.artifact, created = excluded.created",
          recipe_sha256, recipe_json, artifact, clock_.now())
        .run();
  });
}

std::optional<std::string> Store::generated(const std::string& recipe_sha256) const {
  return database_->read([&](Connection& connection) -> std::optional<std::string> {
    Query row(connection, "SELECT artifact FROM generated WHERE recipe_sha256 = ?1", recipe_sha256);
    if (!row.next()) return std::nullopt;
    return row.text(0);
  });
}

void Store::remove_generated(const std::string& recipe_sha256) {
  database_->write([&](Connection& connection) {
    Query(connection, "DELETE FROM generated WHERE recipe_sha256 = ?1", recipe_sha256).run();
  });
}

void Store::add_credit(const CreditEntry& entry) {
  database_->write([&](Connection& connection) { insert_credit(connection, entry, clock_.now()); });
}

std::vector<CreditEntry> Store::credits(Millis since) const {
  return database_->read([&](Connection& connection) {
    std::vector<CreditEntry> entries;
    Query rows(connection,
               "SELECT id, job_id, card_path, card_sha256, photo_id, credit, line, at, site, "
               "evidence_sha256 FROM credits WHERE at >= ?1 ORDER BY id",
               since);
    while (rows.next()) entries.push_back(read_credit(rows));
    return entries;
  });
}

std::vector<CreditEntry> Store::credits_of_card(const std::string& card_path) const {
  return database_->read([&](Connection& connection) {
    std::vector<CreditEntry> entries;
    Query rows(connection,
               "SELECT id, job_id, card_path, card_sha256, photo_id, credit, line, at, site, "
               "evidence_sha256 FROM credits WHERE card_path = ?1 ORDER BY id DESC",
               card_path);
    while (rows.next()) entries.push_back(read_credit(rows));
    return entries;
  });
}

void Store::add_artifact(const std::string& sha256, std::uint64_t bytes,
                         const std::string& media_type) {
  database_->write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO artifacts (sha256, bytes, media_type, created) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT (sha256) DO NOTHING",
          sha256, static_cast<std::int64_t>(bytes), media_type, clock_.now())
        .run();
  });
}

std::set<std::string> Store::referenced_artifacts() const {
  return database_->read([](Connection& connection) {
    std::set<std::string> names;
    Query rows(connection,
               "SELECT artifact FROM stages WHERE artifact IS NOT NULL UNION "
               "SELECT id FROM photos UNION SELECT artifact FROM generated");
    while (rows.next()) names.insert(rows.text(0));
    return names;
  });
}

void Store::forget_artifacts(std::span<const std::string> sha256s) {
  if (sha256s.empty()) return;
  database_->write([&](Connection& connection) {
    for (const std::string& name : sha256s) {
      Query(connection, "DELETE FROM artifacts WHERE sha256 = ?1", name).run();
    }
  });
}

}  // namespace affiche::store
