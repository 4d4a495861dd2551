// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "catch.h"
#include "store/database.h"
#include "store/store.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::store;
using affiche::test::TemporaryFolder;

namespace {

constexpr Migration kFirst{1, "first", "CREATE TABLE a (x INTEGER) STRICT;"};
constexpr Migration kSecond{2, "second", "INSERT INTO a VALUES (2);"};
constexpr Migration kBroken{3, "broken",
                            "INSERT INTO a VALUES (3); INSERT INTO missing VALUES (1);"};

std::string refusal(Database& database, std::vector<Migration> migrations) {
  try {
    apply_migrations(database, migrations, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::int64_t rows(Database& database) {
  return database.read([](Connection& connection) {
    Query row(connection, "SELECT count(*) FROM a");
    row.next();
    return row.integer(0);
  });
}

}  // namespace

TEST_CASE("migrations are applied in order and only once") {
  const TemporaryFolder folder;
  Database database(folder / "a.db");
  const std::vector<Migration> both{kFirst, kSecond};
  REQUIRE(apply_migrations(database, std::vector<Migration>{kFirst}, 1) == std::vector<int>{1});
  REQUIRE(apply_migrations(database, both, 1) == std::vector<int>{2});
  REQUIRE(apply_migrations(database, both, 1).empty());
  REQUIRE(rows(database) == 1);
}

TEST_CASE("a migration that fails leaves nothing behind") {
  const TemporaryFolder folder;
  Database database(folder / "a.db");
  REQUIRE(refusal(database, {kFirst, kSecond, kBroken}).find("missing") != std::string::npos);
  REQUIRE(rows(database) == 1);
  REQUIRE(apply_migrations(database, std::vector<Migration>{kFirst, kSecond}, 1).empty());
}

TEST_CASE("a database newer than the program is refused") {
  const TemporaryFolder folder;
  Database database(folder / "a.db");
  apply_migrations(database, std::vector<Migration>{kFirst, kSecond}, 1);
  const std::string message = refusal(database, {kFirst});
  REQUIRE(message.find("newer than this program") != std::string::npos);
  REQUIRE(message.find("migration 2 (second)") != std::string::npos);
}

TEST_CASE("a migration whose text has changed is refused") {
  const TemporaryFolder folder;
  Database database(folder / "a.db");
  apply_migrations(database, std::vector<Migration>{kFirst}, 1);
  const Migration changed{1, "first", "CREATE TABLE a (y INTEGER) STRICT;"};
  REQUIRE(refusal(database, {changed, kSecond}).find("another text") != std::string::npos);
  REQUIRE(rows(database) == 0);
}

TEST_CASE("the database of another program is refused and left alone") {
  const TemporaryFolder folder;
  Database database(folder / "a.db");
  database.write([](Connection& connection) { connection.execute("CREATE TABLE theirs (x)"); });
  REQUIRE(refusal(database, {kFirst}).find("another program") != std::string::npos);
  const std::int64_t tables = database.read([](Connection& connection) {
    Query row(connection, "SELECT count(*) FROM sqlite_schema");
    row.next();
    return row.integer(0);
  });
  REQUIRE(tables == 1);
}

TEST_CASE("a file that is not a database is refused") {
  const TemporaryFolder folder;
  write_atomically(folder / "a.db", std::string(5000, 'x'));
  REQUIRE_THROWS_AS(Database(folder / "a.db"), Error);
}

TEST_CASE("several processes may open a new database at once") {
  const TemporaryFolder folder;
  const SystemClock clock;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const Store store(folder / "new.db", clock);
      if (store.schema_version() == built_in_migrations().back().number) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(good == 6);
}

TEST_CASE("the built-in migrations are numbered without a gap") {
  int number = 0;
  for (const Migration& migration : built_in_migrations()) REQUIRE(migration.number == ++number);
  REQUIRE(number >= 2);
}
