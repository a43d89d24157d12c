// SQL over attached databases, as a program uses it.
#include <gtest/gtest.h>

#include <atomic>
#include <duckdb/main/appender.hpp>
#include <thread>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

using SqlTest = test::SqlFixture;

TEST_F(SqlTest, CreateInsertSelect) {
  EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR DEFAULT 'none', price DECIMAL(10,2) NOT NULL)"),
            "");
  EXPECT_EQ(Run("INSERT INTO t (id, price) VALUES (2, 1.5), (1, 2.25)"), "2");
  EXPECT_EQ(Run("INSERT INTO t VALUES (3, NULL, 0)"), "1");
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), "1|none|2.25\n2|none|1.50\n3|NULL|0.00");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "3");
  EXPECT_EQ(Run("SELECT price FROM t WHERE id = 2"), "1.50");
  EXPECT_EQ(Run("SELECT id FROM t WHERE name IS NULL OR price > 2 ORDER BY ALL"), "1\n3");
  EXPECT_EQ(Run("SELECT column_name, column_type, \"null\", key, \"default\" FROM (DESCRIBE t)"),
            "id|BIGINT|NO|PRI|NULL\nname|VARCHAR|YES|NULL|'none'\nprice|DECIMAL(10,2)|NO|NULL|NULL");
  EXPECT_EQ(Run("INSERT INTO t VALUES (4, 'd', 4) RETURNING id, price + 1"), "4|5.00");
}

TEST_F(SqlTest, BadInputNamesTableColumnAndValue) {
  Run("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL)");
  Run("INSERT INTO t VALUES (1, 'a')");
  const auto expect_error = [&](const std::string& sql, const std::vector<std::string>& parts) {
    const std::string error = Run(sql);
    for (const std::string& part : parts) EXPECT_NE(error.find(part), std::string::npos) << sql << ": " << error;
    EXPECT_EQ(Run("SELECT count(*) FROM t"), "1") << "after " << sql;
  };
  expect_error("INSERT INTO t VALUES (2, 'b'), (1, 'c')", {"Constraint Error", "main.t", "key (1)"});
  expect_error("INSERT INTO t VALUES (3, 'b'), (3, 'c')", {"key (3)"});
  expect_error("INSERT INTO t VALUES (5, NULL)", {"Constraint Error", "main.t", "name"});
  expect_error("UPDATE t SET name = NULL", {"Constraint Error", "main.t", "name"});
  expect_error("CREATE TABLE t (a INT)", {"already exists"});
  expect_error("CREATE TABLE u (a INT[] PRIMARY KEY)", {"main.u", "column a", "INTEGER[]", "cannot be in a key"});
  expect_error("CREATE TABLE u (a INT, b INT REFERENCES t (name))",
               {"does not have a primary key or unique constraint"});
  expect_error("CREATE TABLE u PARTITIONED BY (a) AS SELECT 1 AS a", {"Table u", "PARTITIONED BY"});
  expect_error("DROP VIEW IF EXISTS t", {"t is of type Table, trying to drop type View"});
  expect_error("ALTER VIEW t RENAME TO v", {"t is of type Table, not View"});
  expect_error("CREATE INDEX i ON t ((random() || name))", {"index i", "main.t", "random"});
  expect_error("CREATE INDEX i ON t USING rtree (name)", {"Unknown index type"});
  expect_error("ALTER TABLE t ADD PRIMARY KEY (name)", {"table main.t", "only one primary key"});
  expect_error("INSERT INTO t VALUES (1, 'b') ON CONFLICT (name) DO NOTHING", {"conflict target"});
  expect_error("INSERT INTO t VALUES (1, 'b') ON CONFLICT DO UPDATE SET name = NULL", {"main.t", "name"});
  expect_error("MERGE INTO t USING (SELECT 1 AS id) USING (id) WHEN MATCHED THEN ERROR 'no ' || name", {"no a"});
  expect_error("DELETE FROM y.system.tables", {"system.tables"});
  expect_error("DROP TABLE y.system.tables", {"system.tables"});
  expect_error("SELECT * FROM nothing", {"nothing"});
}

// Statements off the common road may fail, but none may bring the whole instance down.
TEST_F(SqlTest, NoStatementClosesTheInstance) {
  Run("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR)");
  Run("INSERT INTO t SELECT i, 'n' || i FROM range(10) r(i)");
  const std::vector<std::string> statements = {
      "CREATE TABLE u (a INTEGER REFERENCES t(id))",
      "CREATE TABLE memory.u (a INTEGER REFERENCES y.t(id))",
      "INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING",
      "INSERT INTO u2 VALUES (1) ON CONFLICT DO NOTHING",
      "MERGE INTO t USING (FROM t LIMIT 0) v USING (id) WHEN NOT MATCHED BY SOURCE THEN DO NOTHING RETURNING *",
      "INSERT OR REPLACE INTO t VALUES (1, 'x')",
      "MERGE INTO t USING (VALUES (1, 'x')) v(id, name) USING (id) WHEN MATCHED THEN UPDATE SET name = v.name",
      "UPDATE t SET name = 'x' RETURNING *",
      "SELECT rowid FROM t WHERE rowid IS NOT NULL",
      "SELECT * FROM t WHERE rowid = 'x'::BLOB",
      "SELECT * FROM t USING SAMPLE 3",
      "SELECT * FROM t AT (VERSION => 1)",
      "PRAGMA storage_info('t')",
      "PRAGMA table_info('t')",
      "SUMMARIZE t",
      "ANALYZE t",
      "VACUUM t",
      "VACUUM ANALYZE t (name)",
      "CHECKPOINT y",
      "CALL pragma_database_size()",
      "FROM duckdb_tables()",
      "FROM duckdb_columns()",
      "FROM duckdb_constraints()",
      "FROM duckdb_indexes()",
      "SHOW ALL TABLES",
      "COMMENT ON TABLE t IS 'x'",
      "COMMENT ON COLUMN t.name IS 'x'",
      "ALTER TABLE t RENAME TO renamed; ALTER TABLE renamed RENAME TO t",
      "ALTER VIEW t RENAME TO v",
      "ALTER TABLE t SET SCHEMA other",
      "ALTER TABLE t SET PARTITIONED BY (name)",
      "ALTER TABLE t SET SORTED BY (name)",
      "ALTER TABLE t ADD CHECK (id > 0)",
      "ALTER TABLE t ADD UNIQUE (name)",
      "ALTER TABLE t ADD PRIMARY KEY (name)",
      "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES t (id)",
      "ALTER TABLE t ADD COLUMN g INTEGER AS (id + 1)",
      "ALTER TABLE t ADD COLUMN s STRUCT(a INTEGER); ALTER TABLE t ADD COLUMN s.b INTEGER",
      "SELECT * FROM t WHERE s.a = 1 AND s <> {'a': 2}",
      "DELETE FROM t WHERE (s).a = 1",
      "UPDATE t SET s = {'a': 1, 'b': 2}",
      "ALTER TABLE t DROP COLUMN s",
      "ALTER TABLE t ADD COLUMN name.a INTEGER",
      "ALTER TABLE t DROP COLUMN name.a",
      "ALTER TABLE t RENAME COLUMN name.a TO b",
      "ALTER TABLE t ADD COLUMN c VARCHAR COLLATE nowhere",
      "ALTER TABLE t ADD COLUMN e mood",
      "ALTER TABLE t ADD COLUMN n INTEGER NOT NULL",
      "ALTER TABLE t ADD COLUMN k INTEGER PRIMARY KEY",
      "ALTER TABLE t ALTER rowid TYPE INTEGER",
      "ALTER TABLE t DROP COLUMN rowid",
      "ALTER TABLE t ALTER name TYPE INTEGER USING length(name)",
      "ALTER TABLE t ALTER name TYPE VARCHAR USING 'n' || name",
      "ALTER TABLE t ALTER nowhere SET DEFAULT 1",
      "ALTER TABLE y.system.tables RENAME TO t2",
      "ALTER TABLE y.system.tables ADD COLUMN x INTEGER",
      "ALTER SEQUENCE s OWNED BY t",
      "CREATE MACRO m(a) AS a + 1",
      "CREATE SEQUENCE s",
      "CREATE TYPE e AS ENUM ('a')",
      "CREATE TABLE u PARTITIONED BY (a) AS SELECT 1 AS a",
      "CREATE TABLE u (a INTEGER, b INTEGER AS (a + 1))",
      "CREATE TEMP TABLE u AS FROM t",
      "COPY t TO '" + dir_.File("t.parquet").string() + "'",
      "COPY t FROM '" + dir_.File("t.parquet").string() + "'",
      "COPY FROM DATABASE y TO memory",
      "EXPORT DATABASE '" + dir_.File("export").string() + "'",
      "SELECT * FROM t ORDER BY id DESC LIMIT 2",
      "INSERT INTO t DEFAULT VALUES",
      "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS id",
      "CREATE OR REPLACE TABLE u2 (x TIME)",
      "INSERT INTO u2 VALUES ('24:00:00')",
      "FROM u2",
      "CREATE OR REPLACE TABLE u2 (x TIMESTAMP, y DATE)",
      "INSERT INTO u2 VALUES ('infinity', '-infinity')",
      "FROM u2",
      "SELECT * FROM t WHERE id = 1 OR name = 'n3'",
      "SELECT * FROM t WHERE id IN (SELECT id FROM t WHERE name LIKE 'n%' LIMIT 3)",
      "SELECT t.* FROM t POSITIONAL JOIN range(3)",
      "SELECT * FROM t ASOF JOIN t AS b ON t.id >= b.id",
      "PIVOT t ON name USING count(*)",
      "SELECT * FROM t LIMIT 0",
      "SELECT * FROM t LIMIT 3 OFFSET 100",
      "SELECT * FROM t LIMIT 50 PERCENT",
      "SELECT * FROM t LIMIT (SELECT 3)",
      "EXPLAIN ANALYZE UPDATE t SET name = name",
      "DROP VIEW t",
      "DROP SCHEMA main",
      "PREPARE p AS SELECT * FROM t WHERE id = $1",
      "EXECUTE p(3)",
  };
  for (const std::string& statement : statements) {
    const std::string result = Run(statement);
    EXPECT_EQ(result.find("INTERNAL"), std::string::npos) << statement << ": " << result;
    EXPECT_EQ(result.find("FATAL"), std::string::npos) << statement << ": " << result;
    ASSERT_EQ(Run("SELECT count(*) FROM t"), "10") << statement << ": " << result;
  }
  duckdb::Appender appender(*connection_, "main", "t");
  appender.AppendRow(100, "x");
  appender.Close();
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "11");
}

TEST_F(SqlTest, ReturningGivesTheRowsThatWereChanged) {
  Run("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR, made TIMESTAMPTZ, price DECIMAL(9,2) DEFAULT 7)");
  Run("INSERT INTO t SELECT i, 'n' || i, NULL, i FROM range(5000) r(i)");
  EXPECT_EQ(Run("UPDATE t SET price = price + 1, name = NULL WHERE id = 3 RETURNING *"), "3|NULL|NULL|4.00");
  EXPECT_EQ(Run("UPDATE t SET id = id + 10000, price = DEFAULT WHERE id = 4 RETURNING price * 2, id"), "14.00|10004");
  EXPECT_EQ(Run("UPDATE t SET name = 'x' WHERE id < 0 RETURNING id"), "");
  EXPECT_EQ(Run("DELETE FROM t WHERE id IN (3, 5, 77777) RETURNING id, name"), "3|NULL\n5|n5");
  EXPECT_EQ(Run("DELETE FROM t USING (VALUES (6), (6)) v(x) WHERE id = x RETURNING name"), "n6");
  Run("BEGIN");
  Run("UPDATE t SET name = name || '!'");
  EXPECT_EQ(Run("WITH gone AS (SELECT 1) DELETE FROM t WHERE id = 10004 RETURNING name"), "n4!");
  Run("ROLLBACK");
  // More than one chunk of them.
  const auto result = connection_->Query("UPDATE t SET price = id RETURNING id, price");
  ASSERT_FALSE(result->HasError()) << result->GetError();
  ASSERT_EQ(result->RowCount(), 4997U);
  for (duckdb::idx_t i = 0; i < result->RowCount(); ++i) {
    ASSERT_EQ(result->GetValue(0, i).ToString() + ".00", result->GetValue(1, i).ToString());
  }
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "4997");
}

TEST_F(SqlTest, OnConflict) {
  Run("CREATE TABLE t (a INTEGER, b VARCHAR, v INTEGER DEFAULT 7, w INTEGER, PRIMARY KEY (a, b))");
  Run("INSERT INTO t VALUES (1, 'x', 10, 1), (2, 'x', 20, 2)");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, 'x', 0, 0), (1, 'y', 11, NULL) ON CONFLICT DO NOTHING"), "1");
  EXPECT_EQ(Run("INSERT OR IGNORE INTO t VALUES (1, 'x', 0, 0), (3, 'x', 30, 0), (3, 'x', 31, 0)"), "1");
  EXPECT_EQ(Run("INSERT INTO t (b, a) VALUES ('x', 2), ('z', 2) ON CONFLICT (a, b) DO UPDATE SET v = excluded.v + v, "
                "w = DEFAULT"),
            "2");
  EXPECT_EQ(Run("INSERT OR REPLACE INTO t (a, b, w) VALUES (1, 'y', 5)"), "1");
  EXPECT_EQ(Run("FROM t ORDER BY ALL"), "1|x|10|1\n1|y|11|5\n2|x|27|NULL\n2|z|7|NULL\n3|x|30|0");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, 'x', 0, 0), (9, 'x', 9, 9) ON CONFLICT DO UPDATE SET w = 100 WHERE v > 50 "
                "RETURNING a, w"),
            "9|9");
  EXPECT_EQ(Run("SELECT w FROM t WHERE a = 1 AND b = 'x'"), "1");
  // Own writes and those of others.
  Run("BEGIN");
  Run("INSERT INTO t VALUES (4, 'x', 1, 1)");
  EXPECT_EQ(Run("INSERT INTO t VALUES (4, 'x', 5, 5) ON CONFLICT DO UPDATE SET v = excluded.v RETURNING v, w"), "5|1");
  const auto other = Connect();
  Run(*other, "UPDATE t SET v = 0 WHERE a = 1 AND b = 'x'");
  EXPECT_NE(Run("INSERT INTO t VALUES (1, 'x', 5, 5) ON CONFLICT DO UPDATE SET v = 1").find("conflict"),
            std::string::npos);
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t WHERE a IN (1, 4) AND b = 'x'"), "1|0");
}

TEST_F(SqlTest, MergeInto) {
  Run("CREATE TABLE stock (id INTEGER PRIMARY KEY, n INTEGER DEFAULT 1)");
  Run("INSERT INTO stock SELECT i, 100 FROM range(5) r(i)");
  EXPECT_EQ(Run("MERGE INTO stock USING (VALUES (1, -100), (2, 5), (7, 70)) v(id, change) USING (id) "
                "WHEN MATCHED AND n + change = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = n + change "
                "WHEN NOT MATCHED THEN INSERT VALUES (id, change) "
                "WHEN NOT MATCHED BY SOURCE AND stock.id > 3 THEN UPDATE SET n = DEFAULT"),
            "4");
  EXPECT_EQ(Run("FROM stock ORDER BY id"), "0|100\n2|105\n3|100\n4|1\n7|70");
  EXPECT_EQ(Run("FROM (MERGE INTO stock USING (VALUES (8)) v(id) USING (id) WHEN NOT MATCHED THEN INSERT (id) "
                "VALUES (id) WHEN MATCHED THEN DELETE RETURNING merge_action, *)")
                .substr(0, 5),
            "error");
  EXPECT_EQ(Run("MERGE INTO stock USING (VALUES (8), (7)) v(id) USING (id) WHEN NOT MATCHED THEN INSERT (id) "
                "VALUES (id) WHEN MATCHED THEN DELETE RETURNING merge_action, id, n"),
            "DELETE|7|70\nINSERT|8|1");
  Run("CREATE TABLE heap (x INTEGER)");
  EXPECT_EQ(Run("MERGE INTO heap USING range(3) r(i) ON x = i WHEN NOT MATCHED THEN INSERT VALUES (i)"), "3");
  EXPECT_EQ(Run("MERGE INTO heap USING range(1, 5) r(i) ON x = i WHEN NOT MATCHED THEN INSERT VALUES (i) "
                "WHEN MATCHED THEN UPDATE SET x = 10 * x WHEN NOT MATCHED BY SOURCE THEN DELETE"),
            "5");
  EXPECT_EQ(Run("FROM heap ORDER BY x"), "3\n4\n10\n20");
}

TEST_F(SqlTest, UpdateAndDelete) {
  Run("CREATE TABLE t (a INTEGER, b VARCHAR, v DOUBLE DEFAULT 7, PRIMARY KEY (a, b))");
  Run("INSERT INTO t SELECT i, 'x' || i, i / 2 FROM range(5) r(i)");
  EXPECT_EQ(Run("UPDATE t SET v = v + a WHERE a >= 3"), "2");
  EXPECT_EQ(Run("UPDATE t SET v = DEFAULT WHERE b = 'x0'"), "1");
  EXPECT_EQ(Run("DELETE FROM t WHERE v = 1"), "1");
  EXPECT_EQ(Run("SELECT a, v FROM t ORDER BY a"), "0|7.0\n1|0.5\n3|4.5\n4|6.0");
  // Keys may be shifted onto each other.
  EXPECT_EQ(Run("UPDATE t SET a = a + 1, b = 'x' || (a + 1)"), "4");
  EXPECT_EQ(Run("SELECT a, b FROM t ORDER BY a"), "1|x1\n2|x2\n4|x4\n5|x5");
  EXPECT_NE(Run("UPDATE t SET a = 1, b = 'one'").find("key (1, 'one')"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "4");
  EXPECT_EQ(Run("DELETE FROM t USING (VALUES (1), (1), (9)) d(a) WHERE t.a = d.a"), "1");
  EXPECT_EQ(Run("DELETE FROM t"), "3");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(SqlTest, RowsAreFoundByTheirRowIds) {
  Run("CREATE TABLE t (a INTEGER, b VARCHAR, v INTEGER, PRIMARY KEY (a, b))");
  Run("INSERT INTO t SELECT i // 10, 'x' || i, i FROM range(5000) r(i)");
  const std::string with = "FROM t WHERE rowid IN (SELECT rowid FROM t WHERE ";
  EXPECT_EQ(Run("SELECT v " + with + "a = 7 AND b = 'x77')"), "77");
  EXPECT_EQ(Run("SELECT sum(v) " + with + "v IN (5, 4000))"), "4005");
  EXPECT_EQ(Run("SELECT count(*) " + with + "v >= 500)"), "4500");
  EXPECT_EQ(Run("SELECT count(*) " + with + "v < 0)"), "0");
  EXPECT_EQ(Run("SELECT count(*) FROM t x JOIN t y ON x.rowid = y.rowid AND x.v = 3"), "1");
  EXPECT_EQ(Run("SELECT v FROM t WHERE rowid = (SELECT rowid FROM t WHERE v = 9)"), "9");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE rowid > (SELECT rowid FROM t WHERE v = 9)"), "4990");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE rowid IN ('x'::BLOB, '\\x80'::BLOB, NULL)"), "0");
  EXPECT_EQ(Run("UPDATE t SET v = -v WHERE rowid IN (SELECT rowid FROM t WHERE v = 77)"), "1");
  EXPECT_EQ(Run("DELETE " + with + "v = -77 OR v = 78)"), "2");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "4998");
}

TEST_F(SqlTest, AStatementDoesNotSeeItsOwnRows) {
  Run("CREATE TABLE t (id BIGINT)");
  EXPECT_EQ(Run("INSERT INTO t SELECT * FROM range(5000)"), "5000");
  EXPECT_EQ(Run("INSERT INTO t SELECT id + 5000 FROM t"), "5000");
  Run("BEGIN");
  EXPECT_EQ(Run("INSERT INTO t SELECT id + 10000 FROM t"), "10000");
  EXPECT_EQ(Run("INSERT INTO t SELECT a.id + 20000 FROM t a JOIN t b USING (id)"), "20000");
  EXPECT_EQ(Run("UPDATE t SET id = id + 1"), "40000");
  EXPECT_EQ(Run("SELECT count(*), min(id), max(id) FROM t"), "40000|1|40000");
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT count(*), max(id) FROM t"), "10000|9999");
}

TEST_F(SqlTest, TransactionsSeeTheirSnapshotAndTheFirstCommitterWins) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)");
  Run("INSERT INTO t VALUES (1, 10), (2, 20)");
  const auto other = Connect();
  Run("BEGIN");
  EXPECT_EQ(Run("UPDATE t SET v = 11 WHERE id = 1"), "1");
  EXPECT_EQ(Run("SELECT v FROM t ORDER BY id"), "11\n20");
  EXPECT_EQ(Run("SELECT v FROM t WHERE id = 1"), "11");
  EXPECT_EQ(Run(*other, "SELECT v FROM t ORDER BY id"), "10\n20");
  EXPECT_EQ(Run(*other, "UPDATE t SET v = 12 WHERE id = 1"), "1");
  EXPECT_EQ(Run(*other, "UPDATE t SET v = 22 WHERE id = 2"), "1");
  EXPECT_EQ(Run("SELECT v FROM t ORDER BY id"), "11\n20");
  const std::string error = Run("COMMIT");
  EXPECT_NE(error.find("write conflict: another transaction changed the row of table main.t with key (1)"),
            std::string::npos)
      << error;
  EXPECT_EQ(Run("SELECT v FROM t ORDER BY id"), "12\n22");
  Run("BEGIN");
  EXPECT_NE(Run("INSERT INTO t VALUES (1, 1)").find("Constraint Error"), std::string::npos);
  EXPECT_NE(Run("SELECT 1").find("aborted"), std::string::npos);
  Run("ROLLBACK");
}

TEST_F(SqlTest, ACertainConflictIsReportedByTheStatement) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)");
  Run("INSERT INTO t VALUES (1, 10), (2, 20)");
  const auto other = Connect();
  const auto expect_conflict = [&](const std::string& sql, const std::string& key) {
    Run("BEGIN");
    EXPECT_EQ(Run("SELECT count(*) FROM t"), "2");  // takes the snapshot
    Run(*other, "UPDATE t SET v = v + 1 WHERE id = 1");
    Run(*other, "INSERT INTO t VALUES (3, 0)");
    EXPECT_EQ(Run("UPDATE t SET v = 0 WHERE id = 2"), "1");  // nobody else's
    const std::string error = Run(sql);
    EXPECT_NE(error.find("TransactionContext Error"), std::string::npos) << sql << ": " << error;
    EXPECT_NE(error.find("table main.t with key (" + key + ")"), std::string::npos) << sql << ": " << error;
    EXPECT_NE(Run("SELECT 1").find("aborted"), std::string::npos);
    Run("ROLLBACK");
    Run(*other, "DELETE FROM t WHERE id = 3");
  };
  expect_conflict("UPDATE t SET v = 5 WHERE id = 1", "1");
  expect_conflict("DELETE FROM t WHERE id = 1", "1");
  expect_conflict("INSERT INTO t VALUES (3, 1)", "3");
  expect_conflict("UPDATE t SET id = 3 WHERE id = 2", "3");
}

TEST_F(SqlTest, DefinitionsAreTransactional) {
  const auto other = Connect();
  Run("BEGIN");
  EXPECT_EQ(Run("CREATE TABLE t AS SELECT i AS id, 'x' AS name FROM range(3) r(i)"), "3");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "3");
  EXPECT_EQ(Run("SHOW TABLES"), "t");
  EXPECT_NE(Run(*other, "SELECT count(*) FROM t").find("does not exist"), std::string::npos);
  EXPECT_EQ(Run(*other, "SHOW TABLES"), "");
  Run("ROLLBACK");
  EXPECT_NE(Run("SELECT count(*) FROM t").find("does not exist"), std::string::npos);
  Run("BEGIN");
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  Run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_EQ(Run(*other, "SELECT * FROM t"), "1");
  Run("BEGIN");
  EXPECT_EQ(Run("DROP TABLE t"), "");
  EXPECT_NE(Run("SELECT * FROM t").find("does not exist"), std::string::npos);
  EXPECT_EQ(Run(*other, "SELECT * FROM t"), "1");
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT * FROM t"), "1");
  Run("BEGIN");
  EXPECT_EQ(Run("DROP TABLE t; CREATE TABLE t AS SELECT 7 AS id"), "1");
  EXPECT_EQ(Run(*other, "DROP TABLE t"), "");
  const std::string dropped = Run("COMMIT");
  EXPECT_NE(dropped.find("main.t was dropped by another transaction"), std::string::npos) << dropped;
  Run("BEGIN");
  Run("CREATE TABLE t (id BIGINT)");
  EXPECT_EQ(Run(*other, "CREATE TABLE t (id BIGINT PRIMARY KEY)"), "");
  const std::string taken = Run("COMMIT");
  EXPECT_NE(taken.find("main.t exists already"), std::string::npos) << taken;
  EXPECT_EQ(Run("CREATE OR REPLACE TABLE t AS SELECT 42 AS answer"), "1");
  EXPECT_EQ(Run(*other, "SELECT * FROM t"), "42");
  EXPECT_EQ(Run("DROP TABLE t"), "");
  EXPECT_EQ(Run("DROP TABLE IF EXISTS t"), "");
  Run("CREATE TABLE t (a INT); BEGIN; SELECT * FROM t; INSERT INTO t VALUES (1); DROP TABLE t");
  EXPECT_EQ(Run("COMMIT"), "");
  EXPECT_EQ(Run("CREATE SCHEMA s; CREATE TABLE s.t (a INT); INSERT INTO s.t VALUES (1); SELECT * FROM s.t"), "1");
  EXPECT_NE(Run("DROP SCHEMA s").find("table \"t\" depends on schema \"s\""), std::string::npos);
  EXPECT_EQ(Run("DROP SCHEMA s CASCADE"), "");
}

TEST_F(SqlTest, PreparedQueriesOutliveTheirTable) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR)");
  Run("INSERT INTO t VALUES (1, 'a')");
  auto prepared = connection_->Prepare("SELECT v FROM t WHERE id = 1");
  auto with_parameter = connection_->Prepare("SELECT v FROM t WHERE id = ?");
  ASSERT_FALSE(prepared->HasError());
  for (const char* value : {"a", "b", "c"}) {
    Run("DROP TABLE t");
    EXPECT_TRUE(prepared->Execute()->HasError());
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR)");
    Run("INSERT INTO t VALUES (1, '" + std::string(value) + "')");
    EXPECT_EQ(prepared->Execute()->Fetch()->GetValue(0, 0).ToString(), value);
    EXPECT_EQ(with_parameter->Execute(1)->Fetch()->GetValue(0, 0).ToString(), value);
  }
}

TEST_F(SqlTest, EveryTypeComesBackAsItWent) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"BOOLEAN", "true"},
      {"TINYINT", "-128"},
      {"SMALLINT", "-32768"},
      {"INTEGER", "-2147483648"},
      {"BIGINT", "-9223372036854775808"},
      {"UTINYINT", "255"},
      {"USMALLINT", "65535"},
      {"UINTEGER", "4294967295"},
      {"UBIGINT", "18446744073709551615"},
      {"FLOAT", "1.5"},
      {"DOUBLE", "nan"},
      {"DECIMAL(4,1)", "-999.9"},
      {"DECIMAL(9,2)", "1234567.89"},
      {"DECIMAL(18,3)", "-123456789012345.678"},
      {"DECIMAL(38,4)", "1234567890123456789012345678901234.5678"},
      {"DECIMAL(38,0)", "-170141183460469231731687303715884105"},
      {"VARCHAR", "h\u00e9 '' \U0001F986 longer than twelve bytes"},
      {"BLOB", "\\x00\\xFFabc"},
      {"DATE", "1969-12-31"},
      {"TIME", "23:59:59.999999"},
      {"TIME_NS", "23:59:59.999999999"},
      {"TIMESTAMP_S", "2024-02-29 12:00:00"},
      {"TIMESTAMP_MS", "2024-02-29 12:00:00.123"},
      {"TIMESTAMP", "1900-01-01 00:00:00.000001"},
      {"TIMESTAMP_NS", "2024-02-29 12:00:00.123456789"},
      {"TIMESTAMPTZ", "2024-02-29 12:00:00.123456+00"},
      {"UUID", "fedcba98-7654-3210-0123-456789abcdef"},
  };
  Run("SET TimeZone = 'UTC'");
  for (const auto& [type, text] : cases) {
    SCOPED_TRACE(type);
    EXPECT_EQ(Run("CREATE OR REPLACE TABLE t (k " + type + " PRIMARY KEY, v " + type + ", n " + type + " DEFAULT '" +
                  text + "')"),
              "");
    EXPECT_EQ(Run("INSERT INTO t (k, v) VALUES ('" + text + "', NULL)"), "1");
    EXPECT_EQ(Run("UPDATE t SET v = k"), "1");
    const std::string want = Run("SELECT '" + text + "'::" + type + "::VARCHAR");
    EXPECT_EQ(Run("SELECT k::VARCHAR, v::VARCHAR, n::VARCHAR FROM t"), want + "|" + want + "|" + want);
    EXPECT_EQ(Run("SELECT count(*) FROM t WHERE k = '" + text + "' AND v = k AND v IN ('" + text + "')"), "1");
    EXPECT_EQ(Run("SELECT count(*) FROM t WHERE k <> '" + text + "'"), "0");
    EXPECT_EQ(Run("DELETE FROM t WHERE k = '" + text + "'"), "1");
  }
}

TEST_F(SqlTest, FiltersColumnsAndLimitsGoIntoTheScan) {
  ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT, b VARCHAR)");
  Run("INSERT INTO t SELECT i, i % 7, 'text ' || i FROM range(100000) r(i)");
  const auto visited = [&](const std::string& sql) {
    const std::string text = Run("EXPLAIN ANALYZE " + sql);
    const size_t at = text.find("Rows visited:");
    return at == std::string::npos ? "none in\n" + text
                                   : text.substr(at + 14, text.find_first_of(" \n", at + 14) - at - 14);
  };
  EXPECT_EQ(visited("SELECT * FROM t LIMIT 10"), "10");
  EXPECT_EQ(visited("SELECT a + 1 FROM t LIMIT 3 OFFSET 4"), "7");
  EXPECT_EQ(visited("SELECT * FROM t WHERE id = 77777"), "1");
  EXPECT_EQ(visited("SELECT * FROM t WHERE id IN (5, 77, 777777)"), "2");
  EXPECT_EQ(visited("SELECT * FROM t WHERE id BETWEEN 100 AND 199 AND a = 3"), "100");
  EXPECT_EQ(visited("SELECT count(*) FROM t"), "100000");
  EXPECT_EQ(Run("SELECT count(*), sum(id), sum(a), count(DISTINCT b) FROM t"), "100000|4999950000|299995|100000");
  EXPECT_EQ(Run("SELECT id FROM t LIMIT 3 OFFSET 99998"), "99998\n99999");
  EXPECT_EQ(Run("SELECT count(*) FROM (SELECT * FROM t LIMIT 5000)"), "5000");
}

TEST_F(SqlTest, TheOptimizerKnowsHowManyRowsThereAre) {
  Run("CREATE TABLE small (id BIGINT PRIMARY KEY, v BIGINT)");
  Run("CREATE TABLE large (id BIGINT PRIMARY KEY, v BIGINT)");
  Run("INSERT INTO small SELECT i, i FROM range(300) r(i)");
  Run("INSERT INTO large SELECT i, i FROM range(60000) r(i)");
  const auto estimate = [&](const std::string& table) {
    return std::stod(Run("SELECT estimated_size FROM duckdb_tables() WHERE table_name = '" + table + "'"));
  };
  for (const bool flushed : {false, true}) {
    EXPECT_NEAR(estimate("small"), 300, 400) << flushed;  // a small file has its index, too
    EXPECT_NEAR(estimate("large"), 60000, 12000) << flushed;
    ASSERT_OK(database_->store()->FlushMemtables());
  }
}

// Queries beside tables that come and go: each sees a table as a whole or not at all.
TEST_F(SqlTest, TablesComeAndGoBesideQueries) {
  Run("CREATE TABLE t AS SELECT i AS id FROM range(5000) r(i)");
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&, n] {
      const auto connection = Connect();
      auto prepared = connection->Prepare("SELECT count(*), sum(id) FROM t");
      while (prepared->HasError() && !stop) prepared = connection->Prepare("SELECT count(*), sum(id) FROM t");
      while (!stop) {
        const auto result = n == 0 ? prepared->Execute() : connection->Query("SELECT count(*), sum(id) FROM t");
        if (result->HasError()) {
          const std::string error = result->GetError();
          const bool expected =
              error.find("does not exist") != std::string::npos || error.find("was dropped") != std::string::npos;
          EXPECT_TRUE(expected) << error;
          continue;
        }
        const auto chunk = result->Fetch();
        EXPECT_EQ(chunk->GetValue(0, 0).ToString(), "5000");
        EXPECT_EQ(chunk->GetValue(1, 0).ToString(), "12497500");
        ++answered;
      }
    });
  }
  for (int round = 0; (round < 40 || answered == 0) && !HasFailure(); ++round) {
    EXPECT_EQ(Run("DROP TABLE t"), "");
    EXPECT_EQ(Run("CREATE TABLE t AS SELECT i AS id FROM range(5000) r(i)"), "5000");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SqlTest, UsersSeeTheirOwnRows) {
  EXPECT_EQ("", Run("CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')"));
  EXPECT_NE(Run("SELECT * FROM notes").find("acting user"), std::string::npos);
  EXPECT_NE(Run("INSERT INTO notes VALUES (1, 'x')").find("acting user"), std::string::npos);
  for (const char* user : {"ada", "bob"}) {
    ASSERT_OK(Attach(*duckdb_, database_, user, {.user = user}));
    EXPECT_EQ(Run("INSERT INTO " + std::string(user) + ".notes VALUES (1, '" + user + "''s')"), "1");
  }
  EXPECT_EQ(Run("UPDATE ada.notes SET text = text || '!'"), "1");
  EXPECT_EQ(Run("SELECT * FROM ada.notes"), "1|ada's!");
  EXPECT_EQ(Run("SELECT * FROM bob.notes"), "1|bob's");
  EXPECT_EQ(Run("DELETE FROM bob.notes"), "1");
  EXPECT_EQ(Run("SELECT count(*) FROM ada.notes"), "1");
  EXPECT_EQ(Run("SELECT user_id FROM y.system.users ORDER BY ALL"), "ada\nbob");
}

TEST_F(SqlTest, SystemTablesAreTables) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  EXPECT_EQ(Run("SELECT table_name, kind FROM y.system.tables"), "t|shared");
  EXPECT_EQ(Run("SELECT column_name FROM y.system.columns WHERE table_name = 't'"), "id");
  EXPECT_EQ(Run("SELECT count(*) > 0 FROM y.system.stats"), "true");
  EXPECT_EQ(Run("SELECT count(*) FROM information_schema.tables WHERE table_catalog = 'y' AND table_name = 't'"), "1");
}

TEST_F(SqlTest, AttachByPathSharesTheOpenDatabase) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  Run("INSERT INTO t VALUES (1)");
  Run("USE memory");
  EXPECT_EQ(Run("DETACH y"), "");
  database_.reset();
  const std::string path = dir_.File("db").string();
  EXPECT_EQ(Run("ATTACH '" + path + "' AS z (TYPE yarrow)"), "");
  EXPECT_EQ(Run("SELECT * FROM z.t"), "1");
  EXPECT_NE(Run("ATTACH '" + path + "' AS w (TYPE yarrow, COLOUR 'red')").find("colour"), std::string::npos);
}

}  // namespace
}  // namespace yarrow::sql
