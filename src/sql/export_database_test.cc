// EXPORT DATABASE, IMPORT DATABASE and COPY FROM DATABASE: the tables of users, and no system table.
#include <gtest/gtest.h>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class ExportDatabaseTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR DEFAULT 'none', n DECIMAL(9,2) NOT NULL UNIQUE)");
    Run("INSERT INTO t VALUES (1, 'a', 1), (2, NULL, 2)");
    Run("CREATE INDEX by_name ON t (name, n); CREATE UNIQUE INDEX by_n ON t (n)");
    Run("CREATE TABLE \"the parents\" (id INT PRIMARY KEY)");
    Run("CREATE TABLE a_child (id INT PRIMARY KEY, t INT REFERENCES t (id), above INT REFERENCES a_child (id), n "
        "DECIMAL(9,2) REFERENCES t (n), p INT REFERENCES \"the parents\")");
    Run("INSERT INTO a_child VALUES (1, 2, NULL, 1, NULL), (2, 1, 1, NULL, NULL)");
    Run("CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 'x' AS v");
    Run("CREATE INDEX by_name ON app.t (v)");
    Run("CREATE TABLE app.notes (id INT PRIMARY KEY, text VARCHAR) WITH (kind = 'user', min_user_rows = 7)");
    Run("CREATE TABLE app.seen (id INT PRIMARY KEY, seen_at DATE) WITH (ttl_column = 'seen_at', ttl = '1 day', "
        "flush_rows = 10, "
        "flush_bytes = '1GB', flush_age = '1 hour', optimize_for = 'lookup')");
    ASSERT_OK(Attach(*duckdb_, database_, "ada", {.user = "ada"}));
    Run("USE ada");
    Run("INSERT INTO app.notes VALUES (1, 'hers')");
  }
  void ExpectAll(const std::string& database) {
    EXPECT_EQ(Run("FROM " + database + ".main.t ORDER BY id"), "1|a|1.00\n2|NULL|2.00");
    EXPECT_EQ(Run("FROM " + database + ".app.t"), "x");
    EXPECT_EQ(Run("FROM " + database + ".app.notes"), "1|hers");
    ExpectIndexes(database);
    ExpectReferences(database);
  }
  void ExpectReferences(const std::string& database) {
    EXPECT_EQ(Run("FROM " + database + ".main.a_child ORDER BY id"), "1|2|NULL|1.00|NULL\n2|1|1|NULL|NULL");
    EXPECT_EQ(Run("SELECT constraint_text FROM duckdb_constraints() WHERE database_name = '" + database +
                  "' AND constraint_type = 'FOREIGN KEY' AND table_name = 'a_child' ORDER BY ALL"),
              "FOREIGN KEY (above) REFERENCES a_child(id)\nFOREIGN KEY (n) REFERENCES t(n)\nFOREIGN KEY (p) "
              "REFERENCES \"the parents\"(id)\nFOREIGN KEY (t) REFERENCES t(id)");
    for (const char* change :
         {"INSERT INTO a_child VALUES (3, 9, NULL, NULL, NULL)", "INSERT INTO a_child VALUES (3, NULL, NULL, NULL, 1)",
          "DELETE FROM t WHERE id = 1", "DELETE FROM a_child WHERE id = 1", "UPDATE a_child SET n = 3"}) {
      EXPECT_NE(Run("USE " + database + "; " + change).find("oreign key"), std::string::npos) << change;
    }
    Run("USE ada");
  }
  void ExpectIndexes(const std::string& database) {
    EXPECT_EQ(
        Run("SELECT schema_name, sql FROM duckdb_indexes() WHERE database_name = '" + database + "' ORDER BY ALL"),
        "app|CREATE INDEX by_name ON app.t(v);\n"
        "main|CREATE INDEX by_name ON t(\"name\", n);\n"
        "main|CREATE UNIQUE INDEX by_n ON t(n);");
    EXPECT_NE(Run("INSERT INTO " + database + ".main.t VALUES (3, 'c', 1)").find("violates unique"), std::string::npos);
  }
};

TEST_F(ExportDatabaseTest, WhatWasExportedCanBeImported) {
  for (const char* format : {"csv", "parquet"}) {
    SCOPED_TRACE(format);
    const std::string folder = dir_.File(format).string();
    EXPECT_EQ(Run("USE ada; EXPORT DATABASE '" + folder + "' (FORMAT " + format + ")"), "");
    const std::string name = std::string("from_") + format;
    const std::string path = dir_.File(name).string();
    ASSERT_EQ(Run("ATTACH '" + path + "' AS " + name + " (TYPE yarrow, USER 'ada')"), "");
    EXPECT_EQ(Run("USE " + name + "; IMPORT DATABASE '" + folder + "'"), "");
    ExpectAll(name);
    EXPECT_EQ(Run("SELECT kind, min_user_rows FROM " + name + ".system.tables WHERE table_name = 'notes'"), "user|7");
    EXPECT_EQ(Run("SELECT ttl_column, ttl, flush_rows, flush_bytes, flush_age, optimize_for FROM " + name +
                  ".system.tables WHERE table_name = 'seen'"),
              "seen_at|86400|10|1000000000|3600|lookup");
    EXPECT_EQ(Run("SELECT primary_key FROM " + name + ".system.tables WHERE table_name = 'a_child'"), "id");
  }
}

TEST_F(ExportDatabaseTest, CopyFromDatabase) {
  ASSERT_EQ(Run("ATTACH '" + dir_.File("copy").string() + "' AS copy (TYPE yarrow, USER 'ada')"), "");
  EXPECT_EQ(Run("COPY FROM DATABASE ada TO copy"), "");
  ExpectAll("copy");
  Run("DROP TABLE app.notes");  // DuckDB's own databases have no tables of users, and no options
  Run("DROP TABLE app.seen");
  // DuckDB checks each of its own tables when it is filled, which may be before the one that its rows refer to.
  Run("DROP TABLE a_child; CREATE TABLE \"to t\" (t INT REFERENCES t (id)); INSERT INTO \"to t\" VALUES (NULL)");
  EXPECT_EQ(Run("COPY FROM DATABASE ada TO memory"), "");
  EXPECT_EQ(Run("FROM memory.app.t"), "x");
  ExpectIndexes("memory");
  ASSERT_EQ(Run("ATTACH '" + dir_.File("back").string() + "' AS back (TYPE yarrow)"), "");
  EXPECT_EQ(Run("COPY FROM DATABASE memory TO back"), "");
  ExpectIndexes("back");
  EXPECT_NE(Run("INSERT INTO back.\"to t\" VALUES (9)").find("does not exist in the ref"), std::string::npos);
  EXPECT_EQ(Run("SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'memory' AND NOT internal"), "app");
}

TEST_F(ExportDatabaseTest, SystemTablesAreListedAsInternalViews) {
  EXPECT_EQ(Run("SELECT count(*) FROM duckdb_views() WHERE database_name = 'y' AND internal"), "10");
  EXPECT_EQ(Run("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'y'"), "6");
  EXPECT_EQ(
      Run("SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM information_schema.tables WHERE table_catalog = "
          "'y'"),
      "a_child notes seen t t the parents");
  EXPECT_EQ(Run("SELECT string_agg(column_name, ' ' ORDER BY column_index) FROM duckdb_columns() WHERE "
                "database_name = 'y' AND table_name = 'users'"),
            "user_id first_seen_at");
  EXPECT_EQ(Run("SELECT column_name FROM (DESCRIBE y.system.settings) WHERE key = 'PRI'"), "name");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.users"), "1");
}

TEST_F(ExportDatabaseTest, ASchemaCannotHaveTheNameOfItsDatabase) {
  EXPECT_NE(Run("CREATE SCHEMA y.y").find("Schema y cannot have the name of its database"), std::string::npos);
  EXPECT_NE(Run("CREATE SCHEMA ADA").find("choose another name"), std::string::npos);
  EXPECT_EQ(Run("FROM y.t ORDER BY id LIMIT 1"), "1|a|1.00");
}

}  // namespace
}  // namespace yarrow::sql
