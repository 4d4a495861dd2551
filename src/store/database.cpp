// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <sqlite3.h>
#include <sys/vfs.h>

#include <new>
#include <system_error>

#include "base/error.h"

namespace affiche::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// 4 MiB of log between checkpoints, as SQLite's own default.
constexpr int kCheckpointPages = 1'000;

Cause cause_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return Cause::Unavailable;
    case SQLITE_NOMEM:
      return Cause::Unavailable;
    case SQLITE_CONSTRAINT:
      return Cause::Conflict;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Cause::BadInput;
    default:
      return Cause::Internal;
  }
}

// SQLite's shared-memory index and its locks are not dependable there.
void refuse_network_folder(const std::filesystem::path& folder) {
  constexpr std::int64_t kNfs = 0x6969;
  constexpr std::int64_t kCifs = 0xff534d42;
  constexpr std::int64_t kSmb2 = 0xfe534d42;
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return;
  const std::int64_t type = static_cast<std::int64_t>(info.f_type) & 0xffffffff;
  if (type == kNfs || type == kCifs || type == kSmb2) {
    affiche::fail(Cause::Refused, folder.string(),
                  ": expected a local disk for the database, found a network file system; set "
                  "paths.database in config.toml");
  }
}

std::filesystem::path prepared(const std::filesystem::path& file) {
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    affiche::fail(Cause::BadInput, folder.string(),
                  ": cannot make the folder of the database: ", error.message());
  }
  refuse_network_folder(folder);
  return file;
}

}  // namespace

Query::Query(Connection& connection, const char* sql, Prepared)
    : connection_(connection), statement_(connection.prepare(sql)) {}

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
}

void Query::bind(std::string_view value) {
  const int code = sqlite3_bind_text64(statement_, ++bound_, value.data() ? value.data() : "",
                                       value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail_sqlite(code, "bind a text");
}

void Query::bind(std::nullopt_t) {
  sqlite3_bind_null(statement_, ++bound_);
}

bool Query::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail_sqlite(code, sqlite3_sql(statement_));
}

int Query::run() {
  int rows = 0;
  while (next()) ++rows;
  return rows;
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Query::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Connection::Connection(const std::filesystem::path& file) : file_(file.string()) {
  const int code =
      sqlite3_open_v2(file_.c_str(), &handle_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string message = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
    sqlite3_close_v2(handle_);
    affiche::fail(cause_of(code), "database ", file_, ": cannot open: ", message);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  try {
    execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        "PRAGMA wal_autocheckpoint = 0;");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
  // After the pragma, which would replace the hook.
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Connection*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_sqlite(code, sql.substr(0, 200));
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}

// A checkpoint that cannot finish is tried again after the next commit.
void Connection::checkpoint() {
  sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  log_pages_ = 0;
}

sqlite3_stmt* Connection::prepare(const char* sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) {
    if (sqlite3_stmt_busy(found->second) != 0) {
      affiche::fail(Cause::Internal, "statement used inside itself: ", sql);
    }
    return found->second;
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail_sqlite(code, sql);
  statements_.emplace(sql, statement);
  return statement;
}

void Connection::fail_sqlite(int code, std::string_view action) const {
  affiche::fail(cause_of(code), "database ", file_, ": ", sqlite3_errmsg(handle_), " (", code,
                ") in: ", action);
}

// Opening may switch a new file to WAL, closing may checkpoint: both write.
Database::Database(const std::filesystem::path& file) : gate_(prepared(file)) {
  const WriteGate::Pass pass(gate_);
  connection_ = std::make_unique<Connection>(file);
}

Database::~Database() {
  try {
    const WriteGate::Pass pass(gate_);
    connection_.reset();
  } catch (const Error&) {
    connection_.reset();
  }
}

Database::Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}

Database::Transaction::~Transaction() {
  if (!open_) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself, for instance because the disk is full.
  }
}

void Database::Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
  if (connection_.log_pages() >= kCheckpointPages) connection_.checkpoint();
}

}  // namespace affiche::store
