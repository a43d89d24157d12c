// ATTACH ... (READ_ONLY), and read-only transactions: nothing is written through them, whatever is called.
#include <set>
#include <string>
#include <vector>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

struct FunctionOfOurs {
  std::string name, type;
  std::vector<std::string> parameters, types;
};

class ReadOnlyTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    // With the options that ATTACH opens databases with.
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(dir_.File("db")));
    duckdb_ = sql::OpenDuckDb();
    ASSERT_OK(sql::Attach(*duckdb_, database_, "y"));
    connection_ = Connect();
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, made TIMESTAMP) WITH (ttl_column = 'made', ttl = '36500 days')");
    Run("INSERT INTO t SELECT range, '2001-01-01' FROM range(100)");
    ASSERT_EQ(Run("ATTACH '" + dir_.File("db").string() + "' AS r (TYPE yarrow, READ_ONLY)"), "");
  }

  static std::vector<std::string> Split(const std::string& list) {
    std::vector<std::string> words;
    for (const auto& word : duckdb::StringUtil::Split(list, '|')) words.push_back(word.substr(1));
    return words;
  }
  // Each name and each type with a dot before it, so that none is empty.
  static std::vector<FunctionOfOurs> Functions(duckdb::Connection& connection) {
    auto result = connection.Query(
        "SELECT function_name, function_type, coalesce(list_transform(parameters, lambda x: '.' || x).list_aggr("
        "'string_agg', '|'), ''), coalesce(list_transform(parameter_types, lambda x: '.' || coalesce(x, '')).list_aggr("
        "'string_agg', '|'), '') FROM duckdb_functions() ORDER BY function_name");
    EXPECT_FALSE(result->HasError()) << result->GetError();
    std::vector<FunctionOfOurs> functions;
    for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
      functions.push_back({.name = result->GetValue(0, row).ToString(),
                           .type = result->GetValue(1, row).ToString(),
                           .parameters = Split(result->GetValue(2, row).ToString()),
                           .types = Split(result->GetValue(3, row).ToString())});
      functions.back().types.resize(functions.back().parameters.size());
    }
    return functions;
  }
  // What a DuckDB has with Yarrow and not without.
  std::vector<FunctionOfOurs> Ours() {
    duckdb::DuckDB plain(nullptr);
    duckdb::Connection connection(plain);
    std::set<std::string> known;
    for (const auto& function : Functions(connection)) known.insert(function.name);
    std::vector<FunctionOfOurs> ours;
    for (auto& function : Functions(*connection_)) {
      if (!known.contains(function.name)) ours.push_back(std::move(function));
    }
    return ours;
  }
  // A call on the table t of a database, or on the database itself.
  static std::string CallOf(const FunctionOfOurs& function, const std::string& database) {
    std::string arguments;
    for (size_t i = 0; i < function.parameters.size(); ++i) {
      const bool is_positional = function.parameters[i].starts_with("col");
      const bool names_database = function.parameters[i] == "database";
      if (!is_positional && !names_database) continue;
      arguments += arguments.empty() ? "" : ", ";
      if (names_database) {
        arguments += "database := '" + database + "'";
      } else {
        arguments += function.types[i] == "VARCHAR" ? "'" + database + ".t'" : "1";
      }
    }
    return "CALL " + function.name + "(" + arguments + ")";
  }
};

TEST_F(ReadOnlyTest, EachFunctionOfOursRefuses) {
  // Those that change nothing. Whoever adds one here has seen to it that it writes nothing.
  const std::set<std::string> readers = {"yarrow_ingest", "yarrow_scan"};
  const auto ours = Ours();
  std::set<std::string> names;
  for (const FunctionOfOurs& function : ours) names.insert(function.name);
  for (const char* known : {"yarrow_cancel_job", "yarrow_compact", "yarrow_expire", "yarrow_flush", "yarrow_set"}) {
    EXPECT_TRUE(names.contains(known)) << known;
  }
  for (const FunctionOfOurs& function : ours) {
    if (readers.contains(function.name)) continue;
    EXPECT_EQ(function.type, "table") << function.name << ": say how this test calls it";
    const std::string call = CallOf(function, "r");
    const std::string answer = Run(call);
    EXPECT_NE(answer.find("Cannot call " + function.name + " on database \"r\" which is attached in read-only mode"),
              std::string::npos)
        << call << ": " << answer;
    const std::string refused = Run("BEGIN TRANSACTION READ ONLY");
    EXPECT_NE(Run(CallOf(function, "y")).find("in a transaction that is read-only"), std::string::npos)
        << function.name;
    Run("ROLLBACK");
  }
  EXPECT_EQ(Run("SELECT count(*) FROM y.t"), "100");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.jobs"), "0");
  // The same calls do something where they may.
  EXPECT_EQ(Run("CALL yarrow_flush('y.t')").find("error"), std::string::npos);
  EXPECT_EQ(Run("CALL yarrow_expire('y.t')"), "0");
}

TEST_F(ReadOnlyTest, EachStatementThatWritesIsRefused) {
  Run("CREATE TABLE memory.main.other AS SELECT 5 AS id, NULL::TIMESTAMP AS made");
  for (const std::string sql :
       {"INSERT INTO r.t VALUES (1000, NULL)", "UPDATE r.t SET made = NULL", "DELETE FROM r.t", "TRUNCATE r.t",
        "INSERT OR REPLACE INTO r.t VALUES (1, NULL)", "CREATE TABLE r.fresh (id BIGINT PRIMARY KEY)",
        "CREATE TABLE r.fresh AS SELECT 1 AS id", "DROP TABLE r.t", "CREATE INDEX i ON r.t (made)",
        "ALTER TABLE r.t ADD COLUMN c INTEGER", "ALTER TABLE r.t RENAME TO u", "CREATE SCHEMA r.s", "VACUUM r.t",
        "VACUUM ANALYZE r.t", "CHECKPOINT r", "FORCE CHECKPOINT r", "CALL force_checkpoint('r')",
        "COPY FROM DATABASE memory TO r",
        "MERGE INTO r.t USING memory.main.other o ON t.id = o.id WHEN MATCHED THEN DELETE"}) {
    const std::string answer = Run(sql);
    EXPECT_NE(answer.find("read-only"), std::string::npos) << sql << ": " << answer;
  }
  EXPECT_EQ(Run("SELECT count(*) FROM r.t"), "100");
  EXPECT_EQ(Run("SELECT count(*), count(made) FROM y.t"), "100|100");
}

TEST_F(ReadOnlyTest, AttachingRecordsNoUser) {
  const std::string path = dir_.File("db").string();
  EXPECT_EQ(Run("ATTACH '" + path + "' AS u (TYPE yarrow, READ_ONLY, USER 'eve')").find("error"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.users WHERE user_id = 'eve'"), "0");
  Run("DETACH u");
  const std::string missing = dir_.File("missing").string();
  EXPECT_NE(Run("ATTACH '" + missing + "' AS m (TYPE yarrow, READ_ONLY)").find("there is no database"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(missing));
}

}  // namespace
}  // namespace yarrow::sql
