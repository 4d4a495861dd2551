// SPDX-License-Identifier: Apache-2.0
// The store: jobs, their stages and attempts, photographs, what was generated, and the ledger of
// credits, in one SQLite file. All SQL is behind this class. Thread-safe; several processes may
// open the same file. Every call ends within its timeout: Unavailable when the file stays locked.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/job.h"
#include "store/records.h"

namespace affiche::store {

class Database;

class Store {
 public:
  // Opens or creates the file and its folder and applies pending migrations. `clock` must outlive
  // the store. Refused for a database that is newer than this program, that was migrated by other
  // text, that is not affiche's, or that lies on a network file system.
  Store(const std::filesystem::path& file, const Clock& clock);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Jobs: entering. All or none; durable when it returns. BadInput for malformed JSON or numbers
  // out of range, with the index of the job.
  std::vector<Enqueued> enqueue(std::span<const NewJob> jobs);

  // Jobs: working. Each call after claim() carries the claim and changes nothing when it was lost.
  // Takes the ready job of highest priority, then earliest time; none when nothing is ready or the
  // queue is paused.
  std::optional<Claimed> claim(const std::string& worker, Millis lease);
  Held heartbeat(const Claim& claim, Millis lease);
  // False, and nothing is written, when the claim was lost; so also below.
  bool record_stage(const Claim& claim, const StageRecord& stage);
  // The last stage, the outputs and the ledger's rows in one transaction. When one of the
  // photographs was taken down meanwhile, the job goes back to the queue without its stages.
  bool complete(const Claim& claim, const StageRecord& last,
                const std::vector<std::string>& outputs, std::span<const CreditEntry> credits);
  // Retrying at `retry_at`, or dead without one, or when the attempts are used up, or cancelled
  // when that was asked for. Nothing when the claim was lost.
  std::optional<State> fail(const Claim& claim, const std::string& cause,
                            const std::string& message, std::optional<Millis> retry_at);
  // Back to the queue; the attempt does not count.
  bool give_back(const Claim& claim);
  bool finish_cancelled(const Claim& claim);
  // Takes back the jobs whose lease ended: retrying after a pause, or dead when the attempts are
  // used up. Returns the jobs as they are afterwards.
  std::vector<Job> reap(const Backoff& backoff);

  // Jobs: looking.
  std::optional<Job> job(std::int64_t id) const;
  std::vector<Job> jobs(const JobFilter& filter = {}) const;
  Stages stages(std::int64_t job_id) const;
  std::vector<Attempt> attempts(std::int64_t job_id) const;
  Counts counts() const;
  // The earliest time at which a waiting job may run; none when none waits.
  std::optional<Millis> next_run_at() const;
  // Whether any worker, of this process or another, holds a job.
  bool any_running() const;

  // Jobs: managing.
  // Dead or cancelled to queued with fresh attempts; finished stages are kept. Conflict in another
  // state or when its key is taken again, NotFound for an unknown id.
  void retry(std::int64_t id);
  // At once when waiting; a running job is asked to stop. Conflict when it is finished.
  State cancel(std::int64_t id);
  void pause();
  void resume();
  bool paused() const;
  // Deletes finished jobs in these states that were last changed before `before`; the ledger stays.
  std::int64_t prune(std::span<const State> states, Millis before);
  // Forgets stages from a resumed job whose artifacts are gone.
  bool forget_stage(const Claim& claim, const std::string& name);

  // Photographs. put_photo() replaces the record of the same id. photos(): newest first.
  void put_photo(const PhotoRecord& photo);
  std::optional<PhotoRecord> photo(const std::string& id) const;
  std::vector<PhotoRecord> photos() const;
  bool remove_photo(const std::string& id);

  // What the model made, by the SHA-256 of its recipe's canonical JSON: never made twice.
  void put_generated(const std::string& recipe_sha256, const std::string& recipe_json,
                     const std::string& artifact);
  std::optional<std::string> generated(const std::string& recipe_sha256) const;
  // Forgets an entry whose artifact is gone.
  void remove_generated(const std::string& recipe_sha256);

  // The ledger, oldest first.
  void add_credit(const CreditEntry& entry);
  std::vector<CreditEntry> credits(Millis since = 0) const;

  // Rights. add_evidence() only adds; evidence(): newest first.
  void add_evidence(const Evidence& evidence);
  std::vector<Evidence> evidence(const std::string& photo_id) const;
  // What the ledger has of a file, newest first.
  std::vector<CreditEntry> credits_of_card(const std::string& card_path) const;
  // The take-down that one of the targets is under.
  std::optional<Revocation> revoked(std::span<const std::string> targets) const;
  std::vector<Revocation> revocations() const;
  // Library photographs and evidence with this id, beginning of an id (12 digits or more), page,
  // file or PROVIDER:ID.
  std::set<std::string> photos_behind(const std::string& target) const;
  // Enters the targets and, in the same transaction, puts back into the queue every finished job
  // whose cards show one of `photo_ids` now, and lets the unfinished ones choose again. A card that
  // a later job has published over is not touched, and what else its job made is not made again.
  // A job that writes one file keeps its path. One entry for each file.
  std::vector<AffectedCard> revoke(std::span<const std::string> targets,
                                   const std::set<std::string>& photo_ids, const std::string& why);
  void put_measures(const std::string& photo_id, const Measures& measures);
  std::optional<Measures> measures(const std::string& photo_id) const;
  // What the ledger has of a site since then, newest first.
  std::vector<Use> uses(const std::string& site, Millis since) const;

  // Artifacts that some row names (stages, photographs, generated pictures).
  void add_artifact(const std::string& sha256, std::uint64_t bytes, const std::string& media_type);
  std::set<std::string> referenced_artifacts() const;
  void forget_artifacts(std::span<const std::string> sha256s);

  // "ok", or what SQLite found wrong. Reads the whole file.
  std::string integrity_check() const;
  // Number of the last migration that was applied.
  int schema_version() const;
  const Clock& clock() const { return clock_; }

 private:
  std::unique_ptr<Database> database_;
  const Clock& clock_;
};

}  // namespace affiche::store
