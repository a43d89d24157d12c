// What a confined session may run is listed, and what DuckDB has comes from DuckDB itself: what a later one brings
// along fails a test here until somebody has judged it.
#include <duckdb/common/enum_util.hpp>
#include <duckdb/common/enums/statement_type.hpp>

#include <filesystem>
#include <map>
#include <set>

#include "confinement_fixture.h"
#include "sql/confined_functions.h"

namespace yarrow {
namespace {

using test::kSecret;
using test::Strings;

class ConfinementListsTest : public test::ConfinementFixture {};

TEST_F(ConfinementListsTest, EveryFunctionIsJudged) {
  // Judged as not for confined sessions, for what they do or tell: files, settings, logs, statistics, other statements,
  // the insides of DuckDB. The names of all else are in confined_functions.cc.
  const std::set<std::string> refused = {"add_parquet_key",
                                         "all_profiling_output",
                                         "arrow_scan",
                                         "arrow_scan_dumb",
                                         "check_peg_parser",
                                         "checkpoint",
                                         "combine",
                                         "copy_database",
                                         "current_setting",
                                         "database_size",
                                         "disable_checkpoint_on_shutdown",
                                         "disable_logging",
                                         "disable_object_cache",
                                         "disable_optimizer",
                                         "disable_peg_parser",
                                         "disable_print_progress_bar",
                                         "disable_profile",
                                         "disable_profiling",
                                         "disable_progress_bar",
                                         "disable_verification",
                                         "disable_verify_external",
                                         "disable_verify_fetch_row",
                                         "disable_verify_parallelism",
                                         "disable_verify_serializer",
                                         "duckdb_approx_database_count",
                                         "duckdb_connection_count",
                                         "duckdb_coordinate_systems",
                                         "duckdb_extensions",
                                         "duckdb_external_file_cache",
                                         "duckdb_log_contexts",
                                         "duckdb_logs",
                                         "duckdb_memory",
                                         "duckdb_optimizers",
                                         "duckdb_prepared_statements",
                                         "duckdb_secret_types",
                                         "duckdb_secrets",
                                         "duckdb_settings",
                                         "duckdb_table_sample",
                                         "duckdb_temporary_files",
                                         "enable_checkpoint_on_shutdown",
                                         "enable_logging",
                                         "enable_object_cache",
                                         "enable_optimizer",
                                         "enable_peg_parser",
                                         "enable_print_progress_bar",
                                         "enable_profile",
                                         "enable_profiling",
                                         "enable_progress_bar",
                                         "enable_verification",
                                         "extension_versions",
                                         "finalize",
                                         "force_checkpoint",
                                         "glob",
                                         "import_database",
                                         "json_execute_serialized_sql",
                                         "json_serialize_plan",
                                         "metadata_info",
                                         "parquet_bloom_probe",
                                         "parquet_file_metadata",
                                         "parquet_full_metadata",
                                         "parquet_kv_metadata",
                                         "parquet_metadata",
                                         "parquet_scan",
                                         "parquet_schema",
                                         "parse_duckdb_log_message",
                                         "pragma_database_size",
                                         "pragma_metadata_info",
                                         "pragma_storage_info",
                                         "pragma_user_agent",
                                         "query",
                                         "query_table",
                                         "read_blob",
                                         "read_csv",
                                         "read_csv_auto",
                                         "read_duckdb",
                                         "read_json",
                                         "read_json_auto",
                                         "read_json_objects",
                                         "read_json_objects_auto",
                                         "read_ndjson",
                                         "read_ndjson_auto",
                                         "read_ndjson_objects",
                                         "read_parquet",
                                         "read_text",
                                         "remap_struct",
                                         "sleep_ms",
                                         "sniff_csv",
                                         "sql_auto_complete",
                                         "stats",
                                         "storage_info",
                                         "summary",
                                         "test_all_types",
                                         "test_vector_types",
                                         "truncate_duckdb_logs",
                                         "user_agent",
                                         "variant_bytes_to_variant",
                                         "variant_normalize",
                                         "variant_to_parquet_variant",
                                         "verify_external",
                                         "verify_fetch_row",
                                         "verify_parallelism",
                                         "verify_serializer",
                                         "which_secret",
                                         "write_log",
                                         "yarrow_cancel_job",
                                         "yarrow_compact",
                                         "yarrow_expire",
                                         "yarrow_flush",
                                         "yarrow_set"};
  const auto judge = [&](const char* kind, bool (*is_allowed)(std::string_view)) {
    for (const std::string& name : Ask(std::string("SELECT DISTINCT function_name FROM duckdb_functions() WHERE "
                                                   "function_type IN ") +
                                       kind)) {
      const bool is_refused = refused.contains(name) || name.starts_with("__internal_");
      EXPECT_NE(is_allowed(name), is_refused) << kind << " " << name << ": is it for confined sessions?";
    }
  };
  judge("('scalar', 'aggregate')", sql::IsConfinedScalar);
  judge("('table')", sql::IsConfinedTableFunction);
  judge("('pragma')", sql::IsConfinedPragma);
}

TEST_F(ConfinementListsTest, FunctionsThatAreNotListedRefuse) {
  const Strings arguments = {
      "", "'" + dir_.File("db").string() + "/**'", "'notes'", "'d.notes'", "1", "'SELECT 1', 'x'", "NULL"};
  for (const std::string& name :
       Ask("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table'")) {
    for (const std::string& given : arguments) {
      const std::string result = Bob("SELECT * FROM \"" + name + "\"(" + given + ")");
      if (!sql::IsConfinedTableFunction(name)) {
        EXPECT_TRUE(result.starts_with("error: ")) << name << "(" << given << "): " << result.substr(0, 300);
      }
      EXPECT_EQ(result.find(kSecret), std::string::npos) << name << "(" << given << "): " << result.substr(0, 300);
      EXPECT_EQ(result.find("quixote"), std::string::npos) << name << "(" << given << "): " << result.substr(0, 300);
      EXPECT_EQ(result.find("INTERNAL"), std::string::npos) << name << "(" << given << "): " << result.substr(0, 300);
      if (name != "seq_scan" && name != "yarrow_scan") Bob("CALL \"" + name + "\"(" + given + ")");
    }
  }
  for (const std::string& name :
       Ask("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar'")) {
    if (sql::IsConfinedScalar(name)) continue;
    for (const std::string given : {"", "note", "'enable_external_access'", "note, 'x'"}) {
      ExpectRefused("SELECT \"" + name + "\"(" + given + ") FROM notes");
    }
  }
  for (const std::string& name :
       Ask("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'pragma'")) {
    for (const std::string& given : arguments) {
      const std::string sql = "PRAGMA " + name + (given.empty() ? "" : "(" + given + ")");
      if (!sql::IsConfinedPragma(name)) {
        ExpectRefused(sql);
      } else {
        EXPECT_EQ(Bob(sql).find("quixote"), std::string::npos) << sql;
      }
    }
  }
  ExpectUnharmed();
}

TEST_F(ConfinementListsTest, SettingsAreLocked) {
  for (const std::string& name : Ask("SELECT name FROM duckdb_settings()")) {
    ExpectRefused("SET \"" + name + "\" = '1'");
    ExpectRefused("SET GLOBAL \"" + name + "\" = true");
    ExpectRefused("SET SESSION \"" + name + "\" = 'x'");
    ExpectRefused("RESET \"" + name + "\"");
    ExpectRefused("PRAGMA \"" + name + "\" = 1");
  }
  for (const std::string sql :
       {"USE memory", "USE temp", "USE d", "SET schema = 'memory.main'", "SET search_path = 'temp'"}) {
    ExpectPermissionError(sql);
  }
  ExpectUnharmed();
}

TEST_F(ConfinementListsTest, EveryKindOfStatementIsJudged) {
  using duckdb::StatementType;
  const std::string file = "'" + dir_.File("out").string() + "'";
  const std::string directory = "'" + dir_.File("db").string() + "'";
  // Null: allowed, and tried by other tests; or one that no SQL makes.
  const std::map<StatementType, Strings> statements = {
      {StatementType::INVALID_STATEMENT, {}},
      {StatementType::SELECT_STATEMENT,
       {"SELECT * FROM " + file, "SELECT * FROM 'yarrow-segment:x.parquet'", "SELECT * FROM memory.main.x",
        "FROM system.main.duckdb_settings()"}},
      {StatementType::INSERT_STATEMENT, {"INSERT INTO shared VALUES (3, 'x')"}},
      {StatementType::UPDATE_STATEMENT, {"UPDATE shared SET v = 'x'"}},
      {StatementType::CREATE_STATEMENT,
       {"CREATE TABLE x (a INTEGER)", "CREATE SECRET s (TYPE s3)", "CREATE PERSISTENT SECRET s (TYPE s3)",
        "CREATE TYPE d.main.y AS INTEGER", "CREATE MACRO memory.main.m(a) AS a", "CREATE SEQUENCE memory.main.s",
        "CREATE INDEX i ON notes (note)"}},
      {StatementType::DELETE_STATEMENT, {"DELETE FROM shared"}},
      {StatementType::PREPARE_STATEMENT, {"PREPARE p AS DELETE FROM shared", "PREPARE p AS SELECT * FROM glob('*')"}},
      {StatementType::EXECUTE_STATEMENT, {"EXECUTE nothing"}},
      {StatementType::ALTER_STATEMENT,
       {"ALTER TABLE notes DROP COLUMN note", "ALTER DATABASE d SET ALIAS TO e", "COMMENT ON TABLE notes IS 'x'"}},
      {StatementType::TRANSACTION_STATEMENT, {}},
      {StatementType::COPY_STATEMENT,
       {"COPY notes TO " + file, "COPY notes FROM " + file, "COPY (SELECT 1) TO " + file,
        "COPY notes TO " + file + " (FORMAT parquet)", "COPY notes FROM '/dev/stdin'", "COPY notes TO '/dev/stdout'",
        "COPY (SELECT 1) TO " + file + " (FORMAT blob)"}},
      {StatementType::ANALYZE_STATEMENT, {"ANALYZE notes", "ANALYZE"}},
      {StatementType::VARIABLE_SET_STATEMENT, {"SET threads = 1"}},
      {StatementType::CREATE_FUNC_STATEMENT, {"CREATE FUNCTION memory.main.f(a) AS a"}},
      {StatementType::EXPLAIN_STATEMENT,
       {"EXPLAIN SELECT * FROM memory.main.x", "EXPLAIN DELETE FROM shared", "EXPLAIN ANALYZE DELETE FROM shared"}},
      {StatementType::DROP_STATEMENT,
       {"DROP TABLE notes", "DROP SCHEMA main", "DROP SECRET s", "DROP FUNCTION system.main.abs"}},
      {StatementType::EXPORT_STATEMENT,
       {"EXPORT DATABASE " + file, "IMPORT DATABASE " + file, "EXPORT DATABASE d TO " + file}},
      {StatementType::PRAGMA_STATEMENT,
       {"PRAGMA memory_limit = '1GB'", "PRAGMA enable_profiling", "PRAGMA import_database(" + file + ")"}},
      {StatementType::VACUUM_STATEMENT, {"VACUUM", "VACUUM notes", "VACUUM ANALYZE notes"}},
      {StatementType::CALL_STATEMENT,
       {"CALL yarrow_flush('notes')", "CALL yarrow_compact('notes')", "CALL yarrow_expire('notes')",
        "CALL yarrow_set('background_jobs', '1')", "CALL yarrow_cancel_job(1)", "CALL force_checkpoint('d')",
        "CALL yarrow_ingest()", "CHECKPOINT d", "FORCE CHECKPOINT d"}},
      {StatementType::SET_STATEMENT, {"SET enable_external_access = true", "RESET lock_configuration"}},
      {StatementType::LOAD_STATEMENT,
       {"LOAD json", "INSTALL json", "FORCE INSTALL json", "LOAD " + file, "INSTALL x FROM community"}},
      {StatementType::RELATION_STATEMENT, {}},
      {StatementType::EXTENSION_STATEMENT, {}},
      {StatementType::LOGICAL_PLAN_STATEMENT, {}},
      {StatementType::ATTACH_STATEMENT,
       {"ATTACH " + directory + " AS z (TYPE yarrow, USER 'quixote')", "ATTACH " + directory + " AS z (TYPE yarrow)",
        "ATTACH OR REPLACE " + directory + " AS d (TYPE yarrow, USER 'quixote')",
        "ATTACH " + file + " AS z (TYPE yarrow)", "ATTACH " + file + " AS z", "ATTACH ':memory:' AS z",
        "ATTACH '' AS z"}},
      {StatementType::DETACH_STATEMENT, {"DETACH d", "DETACH memory", "DETACH DATABASE IF EXISTS d"}},
      {StatementType::MULTI_STATEMENT, {}},
      {StatementType::COPY_DATABASE_STATEMENT,
       {"COPY FROM DATABASE d TO memory", "COPY FROM DATABASE memory TO d", "COPY FROM DATABASE d TO memory (SCHEMA)"}},
      {StatementType::UPDATE_EXTENSIONS_STATEMENT, {"UPDATE EXTENSIONS"}},
      {StatementType::MERGE_INTO_STATEMENT,
       {"MERGE INTO shared USING notes ON shared.id = notes.id WHEN MATCHED THEN UPDATE SET v = note"}},
  };
  for (int i = 0; i <= UINT8_MAX; ++i) {
    std::string name;
    try {
      name = duckdb::EnumUtil::ToString(static_cast<StatementType>(i));
    } catch (const std::exception&) {
      continue;
    }
    const auto at = statements.find(static_cast<StatementType>(i));
    ASSERT_NE(at, statements.end()) << name << ": is it for confined sessions?";
    for (const std::string& sql : at->second) ExpectRefused(sql);
  }
  EXPECT_FALSE(std::filesystem::exists(dir_.File("out")));
  ExpectUnharmed();
}

}  // namespace
}  // namespace yarrow
