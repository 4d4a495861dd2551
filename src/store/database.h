// SPDX-License-Identifier: Apache-2.0
// A connection to SQLite: prepared statements that are kept, reads under a lock, writes in BEGIN
// IMMEDIATE transactions under the write gate. For store/ only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "store/write_gate.h"

struct sqlite3;
struct sqlite3_stmt;

namespace affiche::store {

class Connection;

// One execution of a statement. Values are bound in the order of ?1, ?2, …. The kept statement is
// reset when the query ends, so that it holds no lock and no copy of the data.
class Query {
 public:
  template <typename... Values>
  Query(Connection& connection, const char* sql, const Values&... values)
      : Query(connection, sql, Prepared{}) {
    (bind(values), ...);
  }
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // True while there is a row.
  bool next();
  // Steps to the end; returns the number of rows seen.
  int run();

  std::int64_t integer(int column) const;
  std::string text(int column) const;  // "" for NULL
  bool is_null(int column) const;

 private:
  struct Prepared {};
  Query(Connection& connection, const char* sql, Prepared);
  void bind(std::int64_t value);
  void bind(int value) { bind(static_cast<std::int64_t>(value)); }
  void bind(std::string_view value);
  void bind(const char* value) { bind(std::string_view(value)); }
  void bind(const std::string& value) { bind(std::string_view(value)); }
  void bind(std::nullopt_t);
  template <typename Value>
  void bind(const std::optional<Value>& value) {
    if (value) {
      bind(*value);
    } else {
      bind(std::nullopt);
    }
  }

  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

// Not thread-safe; Database guards it.
class Connection {
 public:
  explicit Connection(const std::filesystem::path& file);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Several statements without results; not kept.
  void execute(const std::string& sql);
  // Rows changed by the last statement that finished.
  std::int64_t changes() const;
  // Pages in the write-ahead log after the last commit.
  int log_pages() const { return log_pages_; }
  // Moves the log into the database as far as readers allow. The caller holds the write gate.
  void checkpoint();
  const std::string& file() const { return file_; }

 private:
  friend class Query;
  sqlite3_stmt* prepare(const char* sql);
  [[noreturn]] void fail_sqlite(int code, std::string_view action) const;

  std::string file_;
  sqlite3* handle_ = nullptr;
  std::map<std::string_view, sqlite3_stmt*> statements_;  // keys are string literals
  int log_pages_ = 0;
};

class Database {
 public:
  explicit Database(const std::filesystem::path& file);
  ~Database();

  template <typename Function>
  auto read(Function&& function) {
    const std::lock_guard lock(mutex_);
    return function(*connection_);
  }

  // Commits when `function` returns, rolls back when it throws.
  template <typename Function>
  auto write(Function&& function) {
    const std::lock_guard lock(mutex_);
    const WriteGate::Pass pass(gate_);
    Transaction transaction(*connection_);
    if constexpr (std::is_void_v<decltype(function(*connection_))>) {
      function(*connection_);
      transaction.commit();
    } else {
      auto result = function(*connection_);
      transaction.commit();
      return result;
    }
  }

 private:
  class Transaction {
   public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    Connection& connection_;
    bool open_ = true;
  };

  std::mutex mutex_;
  WriteGate gate_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace affiche::store
