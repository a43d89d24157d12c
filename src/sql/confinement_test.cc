// A confined session reaches the own rows and nothing else, whatever SQL it runs.
#include <filesystem>
#include <thread>

#include "confinement_fixture.h"
#include "sql/sql_session.h"

namespace yarrow {
namespace {

using test::kSecret;
using test::Strings;

class ConfinementTest : public test::ConfinementFixture {};

TEST_F(ConfinementTest, OwnRowsOfUserTablesAndSharedTablesToRead) {
  EXPECT_EQ(Bob("SELECT * FROM notes ORDER BY id"), "0|mine\n1|mine\n2|mine");
  EXPECT_EQ(Bob("SELECT note FROM d.main.notes WHERE id = 1000"), "");
  EXPECT_EQ(Bob("INSERT INTO notes VALUES (7, 'new') RETURNING note"), "new");
  EXPECT_EQ(Bob("UPDATE notes SET note = 'newer' WHERE id >= 3"), "1");
  EXPECT_EQ(Bob("INSERT INTO notes VALUES (7, 'newest') ON CONFLICT DO UPDATE SET note = excluded.note"), "1");
  EXPECT_EQ(Bob("MERGE INTO notes USING (SELECT 7 AS id) s ON notes.id = s.id WHEN MATCHED THEN DELETE"), "1");
  EXPECT_EQ(Bob("BEGIN"), "");
  EXPECT_EQ(Bob("DELETE FROM notes"), "3");
  EXPECT_EQ(Bob("ROLLBACK"), "");
  EXPECT_EQ(Bob("SELECT n.note, s.v FROM notes n JOIN shared s USING (id)"), "mine|for all");
  EXPECT_EQ(Bob("PREPARE p AS SELECT note FROM notes WHERE id = ?"), "");
  EXPECT_EQ(Bob("EXECUTE p(2)"), "mine");
  EXPECT_EQ(Bob("DEALLOCATE p"), "");
  EXPECT_EQ(Bob("WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT sum(i) FROM r"),
            "6");
  ExpectUnharmed();
}

TEST_F(ConfinementTest, TemporaryThingsAreItsOwn) {
  EXPECT_EQ(Bob("CREATE TEMP TABLE t AS SELECT * FROM notes"), "3");
  EXPECT_EQ(Bob("ALTER TABLE t ADD COLUMN x INTEGER"), "");
  EXPECT_EQ(Bob("CREATE INDEX i ON t (id)"), "");
  EXPECT_EQ(Bob("UPDATE t SET x = 1"), "3");
  EXPECT_EQ(Bob("SELECT sum(x) FROM t"), "3");
  EXPECT_EQ(Bob("CREATE TEMP VIEW w AS SELECT count(*) AS n FROM notes"), "");
  EXPECT_EQ(Bob("SELECT n FROM w"), "3");
  EXPECT_EQ(Bob("CREATE TEMP MACRO twice(a) AS 2 * a"), "");
  EXPECT_EQ(Bob("SELECT twice(4)"), "8");
  EXPECT_EQ(Bob("CREATE TEMP SEQUENCE s"), "");
  EXPECT_EQ(Bob("SELECT nextval('s')"), "1");
  EXPECT_EQ(Bob("SET VARIABLE v = 5"), "");
  EXPECT_EQ(Bob("SELECT getvariable('v')"), "5");
  EXPECT_EQ(Bob("DROP VIEW w"), "");
  EXPECT_EQ(Bob("DROP TABLE t"), "");
  ExpectPermissionError("SELECT * FROM histogram(notes, note)");
  for (const char* refused : {"FROM duckdb_logs", "FROM summary((SELECT 1))"}) {
    const std::string answer = Bob(refused);
    EXPECT_NE(answer.find("Error"), std::string::npos) << refused;
    EXPECT_EQ(answer.find("INTERNAL"), std::string::npos) << answer;
  }
  ExpectPermissionError("CREATE TABLE own (a INTEGER)");
  ExpectPermissionError("CREATE TABLE memory.main.own (a INTEGER)");
  ExpectPermissionError("CREATE TABLE d.main.own AS SELECT 1 AS a");
  ExpectPermissionError("CREATE OR REPLACE TABLE notes (a INTEGER)");
  ExpectPermissionError("CREATE VIEW memory.main.w AS SELECT 1");
  ExpectPermissionError("CREATE VIEW w AS SELECT 1");
  ExpectPermissionError("CREATE MACRO m(a) AS a");
  ExpectPermissionError("CREATE SCHEMA s");
  ExpectPermissionError("CREATE SCHEMA memory.s");
  ExpectPermissionError("DROP TABLE notes");
  ExpectPermissionError("DROP TABLE shared");
  ExpectPermissionError("DROP SCHEMA main CASCADE");
  ExpectPermissionError("ALTER TABLE notes ADD COLUMN x INTEGER");
  ExpectPermissionError("ALTER TABLE notes SET (ttl = '1 second')");
  ExpectPermissionError("ALTER TABLE notes RENAME TO mine");
  ExpectPermissionError("INSERT INTO shared VALUES (2, 'x')");
  ExpectPermissionError("UPDATE shared SET v = 'x'");
  ExpectPermissionError("DELETE FROM shared");
  ExpectPermissionError("MERGE INTO shared USING (SELECT 1 AS id) s ON shared.id = s.id WHEN MATCHED THEN DELETE");
  ExpectPermissionError("TRUNCATE shared");
  ExpectUnharmed();
}

TEST_F(ConfinementTest, ViewsAndMacrosOfOthersReachNoMore) {
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = "quixote"}));
  duckdb::Connection other(*instance);
  Run(other, "USE d");
  EXPECT_EQ(Run(other, "CREATE VIEW counted AS SELECT count(*) AS n FROM notes"), "");
  EXPECT_EQ(Run(other, "CREATE VIEW files AS FROM glob('/etc/*')"), "");
  EXPECT_EQ(Run(other, "CREATE MACRO files_of(folder) AS TABLE SELECT * FROM glob(folder)"), "");
  EXPECT_EQ(Run(other, "CREATE MACRO twice(a) AS a * 2"), "");
  EXPECT_EQ(Run(other, "CREATE MACRO home() AS current_setting('temp_directory')"), "");
  EXPECT_EQ(Bob("SELECT twice(n) FROM counted"), "6");
  ExpectPermissionError("SELECT * FROM files");
  ExpectPermissionError("SELECT * FROM files_of('/etc/*')");
  ExpectPermissionError("SELECT home()");
  ExpectPermissionError("DROP VIEW counted");
  ExpectPermissionError("ALTER VIEW counted RENAME TO mine");
  ExpectPermissionError("COMMENT ON VIEW counted IS 'x'");
  ExpectUnharmed();
}

TEST_F(ConfinementTest, NothingTellsOfOthers) {
  const Strings questions = {"SELECT * FROM duckdb_tables()",
                             "SELECT * FROM duckdb_columns()",
                             "SELECT * FROM duckdb_databases()",
                             "SELECT * FROM duckdb_views()",
                             "SELECT * FROM duckdb_constraints()",
                             "SELECT * FROM information_schema.tables",
                             "SELECT * FROM information_schema.columns",
                             "SELECT * FROM information_schema.schemata",
                             "SELECT * FROM information_schema.table_constraints",
                             "SELECT * FROM pg_catalog.pg_class",
                             "SELECT * FROM pg_catalog.pg_attribute",
                             "SELECT * FROM pg_catalog.pg_tables",
                             "SHOW TABLES",
                             "SHOW ALL TABLES",
                             "SHOW DATABASES",
                             "DESCRIBE notes",
                             "SUMMARIZE notes",
                             "DESCRIBE SELECT * FROM notes",
                             "SELECT * FROM d.system.tables",
                             "SELECT * FROM d.system.columns",
                             "SELECT * FROM d.system.schemas",
                             "SELECT * FROM d.system.objects",
                             "SELECT * FROM d.system.indexes",
                             "EXPLAIN SELECT * FROM notes",
                             "EXPLAIN SELECT * FROM notes WHERE note > 'a'",
                             "EXPLAIN ANALYZE SELECT * FROM notes",
                             "EXPLAIN ANALYZE SELECT count(*) FROM notes WHERE note LIKE 'sword%'",
                             "EXPLAIN ANALYZE SELECT * FROM notes ORDER BY note LIMIT 1",
                             "SELECT rowid FROM notes"};
  for (const std::string& sql : questions) {
    const std::string result = Bob(sql);
    EXPECT_FALSE(result.starts_with("error: ")) << sql << ": " << result;
    EXPECT_EQ(result.find(kSecret), std::string::npos) << sql << ": " << result;
    EXPECT_EQ(result.find("quixote"), std::string::npos) << sql << ": " << result;
    EXPECT_EQ(result.find(dir_.File("db").string()), std::string::npos) << sql << ": " << result;
  }
  for (const std::string condition :
       {"rowid > '\\xFF'::BLOB", "rowid >= ''::BLOB", "rowid < '\\xFF\\xFF'::BLOB", "rowid <> ''::BLOB",
        "rowid IN ('\\x80\\x00\\x00\\x00\\x00\\x00\\x03\\xE8'::BLOB, ''::BLOB)", "id BETWEEN 3 AND 5000",
        "id = 1000"}) {
    const std::string result = Bob("SELECT * FROM notes WHERE " + condition);
    EXPECT_FALSE(result.starts_with("error: ")) << condition << ": " << result;
    EXPECT_EQ(result.find(kSecret), std::string::npos) << condition << ": " << result;
  }
  for (const std::string table : {"users", "segments", "jobs", "settings", "stats"}) {
    ExpectRefused("SELECT * FROM d.system." + table);
    ExpectRefused("EXPLAIN SELECT * FROM d.system." + table);
    EXPECT_EQ(Bob("SELECT count(*) FROM duckdb_views() WHERE schema_name = 'system' AND view_name = '" + table + "'"),
              "0");
  }
  // Estimates depend on nothing that others do.
  const std::string before = Bob("EXPLAIN SELECT * FROM notes") + Bob("SELECT estimated_size FROM duckdb_tables()");
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = "quixote"}));
  duckdb::Connection other(*instance);
  Run(other, "INSERT INTO d.notes SELECT range + 5000, 'more' FROM range(50000)");
  EXPECT_EQ(Bob("EXPLAIN SELECT * FROM notes") + Bob("SELECT estimated_size FROM duckdb_tables()"), before);
}

TEST_F(ConfinementTest, OwnSegmentsAreRead) {
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = "bob"}));
  duckdb::Connection bob(*instance);
  ASSERT_FALSE(Run(bob, "CALL yarrow_flush('d.notes', min_user_rows := 0)").starts_with("error"));
  EXPECT_EQ(Bob("SELECT count(*), min(note), max(note) FROM notes"), "3|mine|mine");
  EXPECT_EQ(Bob("SELECT note FROM notes WHERE id = 1"), "mine");
  EXPECT_EQ(Bob("SELECT sum(id) FROM notes WHERE note = 'mine'"), "3");
  EXPECT_EQ(Bob("UPDATE notes SET note = 'mine' WHERE id = 2"), "1");
  EXPECT_EQ(Bob("EXPLAIN ANALYZE SELECT sum(id) FROM notes").find(kSecret), std::string::npos);
  ExpectUnharmed();
}

TEST_F(ConfinementTest, CraftedUsers) {
  const Strings users = {"a",
                         std::string("a\0", 2),
                         std::string("a\0b", 3),
                         std::string("a\1", 2),
                         "A",
                         "../bob",
                         "bob/",
                         "%62ob",
                         "' OR 1=1 --",
                         "quixote'",
                         "\"quixote\"",
                         std::string(300, 'x'),
                         std::string(300, 'x') + "y"};
  const auto open = [&](const std::string& user) {
    auto instance = sql::OpenDuckDb();
    EXPECT_OK(sql::Attach(*instance, database_, "d", {.user = user, .confined = true}));
    return instance;
  };
  for (size_t i = 0; i < users.size(); ++i) {
    const auto instance = open(users[i]);
    duckdb::Connection connection(*instance);
    EXPECT_EQ(Run(connection, "SELECT count(*) FROM notes"), "0") << users[i];
    EXPECT_EQ(Run(connection, "INSERT INTO notes VALUES (" + std::to_string(i) + ", 'own')"), "1") << users[i];
  }
  ASSERT_FALSE(Run("CALL yarrow_flush('notes', min_user_rows := 0)").starts_with("error: IO"));
  for (size_t i = 0; i < users.size(); ++i) {
    const auto instance = open(users[i]);
    duckdb::Connection connection(*instance);
    EXPECT_EQ(Run(connection, "SELECT id FROM notes"), std::to_string(i)) << users[i];
  }
  EXPECT_ERROR_HAS(sql::Attach(*sql::OpenDuckDb(), database_, "d", {.user = "", .confined = true}), "USER");
  ExpectUnharmed();
}

TEST_F(ConfinementTest, InstancesStayConfined) {
  EXPECT_ERROR_HAS(sql::Attach(*confined_, database_, "e", {.user = "quixote"}), "confined");
  EXPECT_ERROR_HAS(sql::Attach(*confined_, database_, "e", {.user = "quixote", .confined = true}), "confined");
  duckdb::Connection later(*confined_);
  EXPECT_EQ(Run(later, "SELECT count(*) FROM notes"), "3");
  EXPECT_NE(Run(later, "SELECT * FROM read_text('/etc/passwd')").find("Permission Error"), std::string::npos);
  // Those who were there before are, too.
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Attach(*instance, database_, "of_quixote", {.user = "quixote"}));
  duckdb::Connection before(*instance);
  ASSERT_OK(sql::Register(*instance));
  ASSERT_EQ(Run(before, "SELECT count(*) FROM of_quixote.notes"), "41");
  Run(before, "CREATE TABLE memory.main.theirs AS SELECT 1 AS a");
  EXPECT_EQ(Run(before, "SELECT count(*) FROM read_text('/etc/hostname')"), "1");
  ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = "bob", .confined = true}));
  EXPECT_NE(Run(before, "SELECT count(*) FROM of_quixote.notes").find("Permission Error"), std::string::npos);
  EXPECT_NE(Run(before, "DELETE FROM of_quixote.notes").find("Permission Error"), std::string::npos);
  EXPECT_EQ(Run(before, "SELECT count(*) FROM d.notes"), "3");
  EXPECT_NE(Run(before, "SELECT count(*) FROM read_text('/etc/hostname')").find("Permission Error"), std::string::npos);
  EXPECT_NE(Run(before, "SELECT * FROM memory.main.theirs").find("Permission Error"), std::string::npos);
  EXPECT_NE(Run(before, "ATTACH ':memory:' AS m").find("Permission Error"), std::string::npos);
}

TEST_F(ConfinementTest, AttachInSql) {
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Register(*instance));
  duckdb::Connection connection(*instance);
  const std::string attach = "ATTACH '" + dir_.File("sql").string() + "' AS d (TYPE yarrow";
  EXPECT_NE(Run(connection, attach + ", CONFINED)").find("USER"), std::string::npos);
  EXPECT_NE(Run(connection, attach + ", CONFINED 'perhaps', USER 'bob')").find("error"), std::string::npos);
  EXPECT_EQ(Run(connection, attach + ", USER 'bob', CONFINED false)"), "");
  EXPECT_EQ(Run(connection, "CREATE TABLE d.notes (id BIGINT PRIMARY KEY) WITH (kind = 'user')"), "");
  EXPECT_EQ(Run(connection, "DETACH d"), "");
  EXPECT_EQ(Run(connection, attach + ", USER 'bob', CONFINED)"), "");
  EXPECT_EQ(Run(connection, "INSERT INTO d.notes VALUES (1)"), "1");
  EXPECT_NE(Run(connection, "DROP TABLE d.notes").find("Permission Error"), std::string::npos);
  EXPECT_NE(Run(connection, "DETACH d").find("Permission Error"), std::string::npos);
}

TEST_F(ConfinementTest, SessionsOfSeveralUsersBesideQueries) {
  std::vector<std::thread> threads;
  std::vector<std::string> faults(4);
  for (size_t i = 0; i < faults.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::string user = "user" + std::to_string(i);
      auto session = *sql::SqlSession::Open(database_, {.user = user, .confined = true});
      for (int n = 0; n < 20; ++n) {
        const arrow::Status status = session->Run(
            "INSERT INTO notes VALUES (" + std::to_string(n) + ", '" + user + "'); SELECT DISTINCT note FROM notes",
            [&](const sql::SqlResult& result) -> arrow::Status {
              ARROW_ASSIGN_OR_RAISE(const auto table, result.rows->ToTable());
              if (!result.is_query) return arrow::Status::OK();
              ARROW_ASSIGN_OR_RAISE(const auto cell, table->column(0)->GetScalar(0));
              if (table->num_rows() != 1 || cell->ToString() != user) faults[i] = table->ToString();
              return arrow::Status::OK();
            });
        if (!status.ok()) faults[i] = status.ToString();
      }
      const auto stopped = session->Run("SELECT * FROM read_csv('/etc/passwd')",
                                        [](const sql::SqlResult&) { return arrow::Status::OK(); });
      if (stopped.ok()) faults[i] = "read_csv";
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) EXPECT_EQ(fault, "");
  ExpectUnharmed();
}

// In any session: a directory is a file like others, and the acting user a setting.
TEST_F(ConfinementTest, AttachObeysTheSettingsOfDuckDb) {
  const std::string attach = "ATTACH '" + dir_.File("db").string() + "' AS z (TYPE yarrow, USER 'quixote')";
  const std::string elsewhere = "ATTACH '" + dir_.File("new/db").string() + "' AS z (TYPE yarrow)";
  for (const std::string setting : {"enable_external_access = false", "lock_configuration = true"}) {
    const auto instance = sql::OpenDuckDb();
    ASSERT_OK(sql::Register(*instance));
    duckdb::Connection connection(*instance);
    Run(connection, "SET " + setting);
    EXPECT_NE(Run(connection, attach).find("Permission Error"), std::string::npos) << setting;
    EXPECT_NE(Run(connection, elsewhere).find("Permission Error"), std::string::npos) << setting;
    EXPECT_FALSE(std::filesystem::exists(dir_.File("new")));
    EXPECT_OK(sql::Attach(*instance, database_, "d", {.user = "bob"}));  // the program itself may
    EXPECT_EQ(Run(connection, "SELECT count(*) FROM d.notes"), "3");
  }
  const auto instance = sql::OpenDuckDb();
  ASSERT_OK(sql::Register(*instance));
  duckdb::Connection connection(*instance);
  Run(connection, "SET allowed_directories = ['" + dir_.File("").string() + "']");
  Run(connection, "SET enable_external_access = false");
  EXPECT_EQ(Run(connection, elsewhere), "");
}

}  // namespace
}  // namespace yarrow
