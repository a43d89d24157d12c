// Every column type with its extreme values: stored, moved to segments, merged, opened anew and exported, a table gives
// the answers of a native one.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>

#include "sql_fixture.h"
#include "yarrow/scan_options.h"
#include "yarrow/table.h"

namespace yarrow::sql {
namespace {

struct TypeCase {
  std::string type;
  std::vector<std::string> values;  // as SQL, the least first
};

std::vector<TypeCase> AllTypes() {
  const std::string nines(38, '9');
  const auto texts = [](const std::vector<std::string>& values, const std::string& type) {
    std::vector<std::string> literals;
    for (const std::string& value : values) literals.push_back("'" + value + "'::" + type);
    return literals;
  };
  return {
      {"BOOLEAN", {"false", "true"}},
      {"TINYINT", {"-128", "0", "127"}},
      {"SMALLINT", {"-32768", "0", "32767"}},
      {"INTEGER", {"-2147483648", "0", "2147483647"}},
      {"BIGINT", {"-9223372036854775808", "-1", "9223372036854775807"}},
      {"UTINYINT", {"0", "128", "255"}},
      {"USMALLINT", {"0", "32768", "65535"}},
      {"UINTEGER", {"0", "2147483648", "4294967295"}},
      {"UBIGINT", {"0", "9223372036854775808", "18446744073709551615"}},
      {"FLOAT", texts({"-inf", "-3.4028235e38", "-1e-45", "1e-45", "0.1", "3.4028235e38", "inf", "nan"}, "FLOAT")},
      {"DOUBLE",
       texts({"-inf", "-1.7976931348623157e308", "-5e-324", "5e-324", "0.1", "1.7976931348623157e308", "inf", "nan"},
             "DOUBLE")},
      {"DECIMAL(4,1)", {"-999.9", "0.1", "999.9"}},
      {"DECIMAL(9,2)", {"-9999999.99", "0.01", "9999999.99"}},
      {"DECIMAL(18,0)", {"-999999999999999999", "1", "999999999999999999"}},
      {"DECIMAL(38,0)", {"-" + nines, "-1", nines}},
      {"DECIMAL(38,38)", texts({"-0." + nines, "0.1", "0." + nines}, "DECIMAL(38,38)")},
      {"VARCHAR",
       {"''", "chr(0)", "'a'", "'a' || chr(0)", "'a' || chr(0) || 'b'", "'b'", "repeat('x', 100)",
        "repeat('x', 100) || 'y'", "'\U0010FFFF'"}},
      {"BLOB", texts({"", "\\x00", "\\x00\\x01", "a", "a\\x00", "\\xFF", "\\xFF\\xFF\\x00"}, "BLOB")},
      {"UUID", texts({"00000000-0000-0000-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff",
                      "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
                     "UUID")},
      {"DATE",
       texts({"-infinity", "5877642-06-25 (BC)", "0001-01-01", "1970-01-01", "9999-12-31", "5881580-07-10", "infinity"},
             "DATE")},
      {"TIME", texts({"00:00:00", "00:00:00.000001", "23:59:59.999999"}, "TIME")},
      {"TIME_NS", texts({"00:00:00", "00:00:00.000000001", "23:59:59.999999999"}, "TIME_NS")},
      {"TIMESTAMP_S", texts({"-infinity", "290309-12-22 (BC) 00:00:00", "1969-12-31 23:59:59", "2026-01-02 03:04:05",
                             "294247-01-10 04:00:54", "infinity"},
                            "TIMESTAMP_S")},
      {"TIMESTAMP_MS", texts({"-infinity", "290309-12-22 (BC) 00:00:00", "1969-12-31 23:59:59.999",
                              "2026-01-02 03:04:05.006", "294247-01-10 04:00:54.775", "infinity"},
                             "TIMESTAMP_MS")},
      {"TIMESTAMP", texts({"-infinity", "290309-12-22 (BC) 00:00:00", "1969-12-31 23:59:59.999999",
                           "2026-01-02 03:04:05", "294247-01-10 04:00:54.775806", "infinity"},
                          "TIMESTAMP")},
      {"TIMESTAMP_NS", texts({"-infinity", "1677-09-22 00:00:00", "1969-12-31 23:59:59.999999999",
                              "2026-01-02 03:04:05", "2262-04-11 23:47:16.854775806", "infinity"},
                             "TIMESTAMP_NS")},
      {"TIMESTAMPTZ", texts({"-infinity", "290309-12-22 (BC) 00:00:00+00", "1969-12-31 23:59:59.999999+00",
                             "2026-01-02 03:04:05+00", "294247-01-10 04:00:54.775806+00", "infinity"},
                            "TIMESTAMPTZ")},
      {"HUGEINT", texts({"-170141183460469231731687303715884105728", "-1", "0", "9223372036854775808",
                         "170141183460469231731687303715884105727"},
                        "HUGEINT")},
      {"UHUGEINT", texts({"0", "18446744073709551616", "340282366920938463463374607431768211455"}, "UHUGEINT")},
      {"INTERVAL", texts({"-178956970 years -8 months -2147483648 days", "-1 month", "-30 days -00:00:00.000001",
                          "00:00:00", "29 days 23:59:59.999999", "1 month", "30 days 00:00:00.000001",
                          "178956970 years 7 months 2147483647 days"},
                         "INTERVAL")},
      {"TIMETZ", texts({"00:00:00+15:59:59", "00:00:00+00", "11:00:00-01", "12:00:00.000001+00", "13:00:00+01",
                        "24:00:00-15:59:59"},
                       "TIMETZ")},
      {"BIT", texts({"0", "1", "01", "11111111", "111111110"}, "BIT")},
      {"BIGNUM", texts({"-" + nines + nines, "-256", "-1", "0", "1", "255", "256", nines + nines}, "BIGNUM")},
      {"JSON", texts({"null", "1", "\"a\"", "[1, {\"a\": null}]", "{\"a\": [1, 2]}"}, "JSON")},
      {"ENUM ('b', 'a', '')", {"'b'", "'a'", "''"}},
      {"INTEGER[]", {"[]", "[NULL]", "[-2147483648, 2147483647]", "[1, 2, NULL]"}},
      {"VARCHAR[][]", {"[]", "[[]]", "[NULL, ['a', NULL, repeat('x', 100)]]"}},
      {"TIMESTAMP_NS[2]",
       {"['1677-09-22'::TIMESTAMP_NS, NULL]", "['2262-04-11 23:47:16.854775806', 'infinity']::TIMESTAMP_NS[2]"}},
      {"STRUCT(a HUGEINT, b STRUCT(c UUID, d DECIMAL(38,10)), e BOOLEAN[])",
       {"{'a': NULL, 'b': NULL, 'e': NULL}",
        "{'a': -1, 'b': {'c': '80000000-0000-0000-0000-000000000001'::UUID, 'd': -0.5}, 'e': [true, NULL, false]}",
        "{'a': 170141183460469231731687303715884105727, 'b': {'c': NULL, 'd': 1}, 'e': []}"}},
      {"MAP(VARCHAR, INTERVAL)", {"MAP {}", "MAP {'': INTERVAL '-1 month'}", "MAP {'a': NULL, 'b': INTERVAL '1 day'}"}},
      {"UNION(n BIGINT, s VARCHAR, l TIMETZ[])",
       {"union_value(n := -1)", "union_value(s := NULL)", "union_value(l := ['12:00:00+01'::TIMETZ, NULL])"}},
  };
}

class ExtremeValuesTest : public test::SqlFixture, public testing::WithParamInterface<TypeCase> {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Connect();
  }
  void Connect() {
    ours_ = SqlFixture::Connect();
    native_ = SqlFixture::Connect();
    for (auto* connection : {ours_.get(), native_.get()}) connection->Query("SET TimeZone = 'UTC'");
    // DuckDB's optimizer makes mistakes of its own.
    native_->Query("USE memory; PRAGMA disable_optimizer");
  }
  void Both(const std::string& sql) {
    const std::string ours = Run(*ours_, sql);
    EXPECT_EQ(ours.find("error:"), std::string::npos) << sql << ": " << ours;
    EXPECT_EQ(ours, Run(*native_, sql)) << sql;
  }
  void Ours(const std::string& sql) {
    const std::string result = Run(*ours_, sql);
    EXPECT_EQ(result.find("error:"), std::string::npos) << sql << ": " << result;
  }

  // `t`: values beside a key; `k`: values as the key, if they can be.
  void Ask() {
    const auto& values = GetParam().values;
    for (const std::string table : {"t", "k"}) {
      const std::string from = " FROM " + table + " ";
      Both("SELECT *" + from + "ORDER BY id");
      Both("SELECT id" + from + "ORDER BY v NULLS FIRST, id");
      Both("SELECT id" + from + "ORDER BY v DESC NULLS LAST, id LIMIT 3");
      Both("SELECT id" + from + "ORDER BY v, id LIMIT 2");
      Both("SELECT min(v), max(v), count(v), count(*)" + from);
      Both("SELECT id" + from + "WHERE v IS NULL ORDER BY id");
      Both("SELECT count(*)" + from + "WHERE v IS NOT NULL");
      Both("SELECT v, count(*)" + from + "GROUP BY v ORDER BY v");
      Both("SELECT a.id" + from + "a JOIN " + table + " b ON a.v = b.v ORDER BY ALL");
      for (const std::string& value : values) {
        for (const char* op : {"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"}) {
          Both("SELECT id" + from + "WHERE v " + op + " " + value + " ORDER BY id");
        }
        Both("SELECT id" + from + "WHERE v IN (" + value + ", " + values[0] + ") OR id < 0 ORDER BY id");
        Both("SELECT id" + from + "WHERE v IN (" + value + ", NULL) ORDER BY id");
        Both("SELECT id, v" + from + "WHERE id > 0 AND v = " + value + " ORDER BY id");
      }
    }
  }
  // What a program gets, sorted by id.
  std::string ScanOfApi() {
    const auto session = database_->OpenSession({}).ValueOrDie();
    std::string rows;
    for (const char* name : {"t", "k"}) {
      const auto table = session->OpenTable(std::string("main.") + name).ValueOrDie();
      std::map<std::string, std::string> sorted;
      for (const auto& batch : table->Scan().ValueOrDie()->ToRecordBatches().ValueOrDie()) {
        for (int64_t i = 0; i < batch->num_rows(); ++i) {
          sorted[batch->column(0)->GetScalar(i).ValueOrDie()->ToString()] =
              batch->column(1)->GetScalar(i).ValueOrDie()->ToString();
        }
      }
      for (const auto& [id, value] : sorted) rows += id + "=" + value + "\n";
    }
    return rows;
  }
  void Flush() {
    for (const char* table : {"t", "k"}) Ours("CALL yarrow_flush('main." + std::string(table) + "')");
  }
  void Reopen() {
    ours_->Query("USE memory; DETACH y");
    ours_.reset();
    native_.reset();
    connection_.reset();
    database_.reset();
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(dir_.File("db")));
    ASSERT_OK(sql::Attach(*duckdb_, database_, "y"));
    Connect();
  }
  // How many values come back otherwise: as many as from a native table, for the files are DuckDB's.
  void Export(const std::string& format, const std::string& reader) {
    const auto differences = [&](duckdb::Connection& connection, const std::string& table, const std::string& file) {
      if (Run(connection, "COPY " + table + " TO '" + file + "' (FORMAT " + format + ")").starts_with("error")) {
        return std::string("no such file");
      }
      const std::string& type = GetParam().type;
      std::string quoted = type;
      for (size_t at = quoted.find('\''); at != std::string::npos; at = quoted.find('\'', at + 2)) {
        quoted.insert(at, 1, '\'');
      }
      const std::string columns = format == "csv" ? ", columns = {'id': 'INTEGER', 'v': '" + quoted + "'}" : "";
      const std::string counted =
          Run(connection, "SELECT count(*) FROM " + table + " a FULL JOIN " + reader + "('" + file + "'" + columns +
                              ") b ON a.id = b.id WHERE a.v IS DISTINCT FROM b.v::" + type);
      return counted.substr(0, counted.find("\n\nLINE"));  // of an error, which shows the file's name
    };
    for (const std::string table : {"t", "k"}) {
      EXPECT_EQ(differences(*ours_, table, dir_.File(table + "." + format).string()),
                differences(*native_, table, dir_.File("native_" + table + "." + format).string()))
          << table << " " << format;
    }
  }

  std::unique_ptr<duckdb::Connection> ours_, native_;
};

TEST_P(ExtremeValuesTest, StayWhatTheyAre) {
  const auto& [type, values] = GetParam();
  Both("CREATE TABLE t (id INTEGER PRIMARY KEY, v " + type + ")");
  const bool has_key = type != "INTERVAL" && type.find_first_of("[(") == std::string::npos;
  const bool is_plain = has_key || type.starts_with("ENUM") || type.starts_with("DECIMAL");
  Ours("CREATE TABLE k (id INTEGER, v " + type + (is_plain ? " PRIMARY KEY)" : ")"));
  native_->Query("CREATE TABLE k (id INTEGER, v " + type + ")");
  int id = 0;
  std::string rows, keys;
  for (const std::string& value : values) {
    keys += (keys.empty() ? "(" : ", (") + std::to_string(id) + ", " + value + ")";
    for (int copy = 0; copy < 2; ++copy)
      rows += (rows.empty() ? "(" : ", (") + std::to_string(id++) + ", " + value + ")";
  }
  Both("INSERT INTO t VALUES " + rows + ", (" + std::to_string(id) + ", NULL)");
  Both("INSERT INTO k VALUES " + keys);
  Ask();
  const std::string seen = ScanOfApi();
  Flush();
  EXPECT_EQ(ScanOfApi(), seen);
  Ask();
  Export("parquet", "read_parquet");
  if (type != "VARCHAR" && type != "BLOB") Export("csv", "read_csv");  // CSV has no zero bytes
  // Hot rows over those in the segment, in the place of others.
  Both("UPDATE t SET v = " + values[0] + " WHERE id % 3 = 0");
  Both("DELETE FROM t WHERE v = " + values.back() + " AND id % 2 = 0");
  Both("INSERT INTO t SELECT id + 1000, v FROM t");
  Both("DELETE FROM k WHERE v = " + values[0]);
  Ask();
  Flush();
  Ask();
  Ours("CALL yarrow_compact('main.t', \"full\" = true); CALL yarrow_compact('main.k', \"full\" = true)");
  Ask();
  Reopen();
  Ask();
}

INSTANTIATE_TEST_SUITE_P(Types, ExtremeValuesTest, testing::ValuesIn(AllTypes()), [](const auto& of) {
  std::string name = of.param.type;
  for (size_t at = name.find("[]"); at != std::string::npos; at = name.find("[]")) name.replace(at, 2, "List");
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_'; });
  return name;
});

}  // namespace
}  // namespace yarrow::sql
