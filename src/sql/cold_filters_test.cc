// Conditions in every nesting of NOT, AND and OR over segments of NULLs alone, of one value, of several and of both:
// what is passed over by statistics changes no answer.
#include <gtest/gtest.h>

#include "differential_fixture.h"

namespace yarrow::sql {
namespace {

struct Values {
  const char* type;
  std::vector<const char*> literals;  // ascending; two of them are in no row
};

const std::vector<Values>& ValuesOfTypes() {
  static const std::vector<Values> values = {
      {"INTEGER", {"-5", "0", "3", "7"}},
      {"UBIGINT", {"0", "1", "9", "18446744073709551615"}},
      {"DECIMAL(4, 1)", {"-0.1", "0.0", "0.1", "99.9"}},
      {"DECIMAL(30, 2)", {"-1.00", "0.00", "12345678901234567890.00", "12345678901234567890.01"}},
      {"DOUBLE", {"-inf", "0.5", "inf", "nan"}},
      {"FLOAT", {"-1.5", "0", "0.25", "nan"}},
      {"VARCHAR", {"", "a", "a long text that is not inlined", "b"}},
      {"BLOB", {"", "\\x00", "a", "b"}},
      {"BOOLEAN", {"false", "false", "true", "true"}},
      {"DATE", {"0001-01-01", "1970-01-01", "2024-02-29", "9999-12-31"}},
      {"TIMESTAMP", {"1969-12-31 23:59:59.999999", "1970-01-01", "2024-02-29 12:00:00", "2200-01-01"}},
      {"TIMESTAMPTZ",
       {"1969-12-31 23:59:59+00", "1970-01-01 00:00:00+00", "2024-02-29 12:00:00+01", "2200-01-01 00:00:00+00"}},
      {"TIMESTAMP_S", {"1969-12-31 23:59:59", "1970-01-01", "2024-02-29 12:00:00", "2200-01-01"}},
      {"TIME", {"00:00:00", "01:00:00", "12:34:56.789", "23:59:59.999999"}},
      {"UUID",
       {"00000000-0000-0000-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff",
        "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
  };
  return values;
}

class ColdFiltersTest : public test::DifferentialFixture {
 protected:
  std::string Literal(const Values& values, size_t i) const {
    return Join("'", values.literals[i], "'::", values.type);
  }
  std::string AnyLiteral(const Values& values) { return OneIn(12) ? "NULL" : Literal(values, Below(4)); }
  std::string Leaf(const Values& values) {
    static const std::vector<std::string> comparisons = {
        " = ", " <> ", " < ", " <= ", " > ", " >= ", " IS DISTINCT FROM ", " IS NOT DISTINCT FROM "};
    switch (Below(8)) {
      case 0:
        return OneIn(2) ? "v IS NULL" : "v IS NOT NULL";
      case 1:
        return Join("v ", OneIn(2) ? "NOT IN (" : "IN (", AnyLiteral(values), ", ", AnyLiteral(values), ", ",
                    Literal(values, Below(4)), ")");
      case 2:
        return Join("v BETWEEN ", AnyLiteral(values), " AND ", AnyLiteral(values));
      case 3:
        return Join("w", Pick(comparisons), AnyLiteral(values));
      default:
        return Join("v", Pick(comparisons), AnyLiteral(values));
    }
  }
  std::string Condition(const Values& values, int depth) {
    std::string text = depth == 0 || OneIn(4) ? Leaf(values)
                                              : Join("(", Condition(values, depth - 1), OneIn(2) ? " AND " : " OR ",
                                                     Condition(values, depth - 1), ")");
    return OneIn(4) ? "NOT (" + text + ")" : text;
  }

  // 25 rows a segment: NULLs alone, one value, its neighbours, both with NULLs. `w` came later: old segments lack it.
  void MakeTable(const Values& values) {
    ASSERT_TRUE(Both(Join("CREATE OR REPLACE TABLE t (id INTEGER PRIMARY KEY, v ", values.type, ")")));
    const std::string first = Literal(values, 1), second = Literal(values, 2);
    ASSERT_TRUE(
        Both(Join("INSERT INTO t SELECT i, CASE i // 25 WHEN 0 THEN NULL WHEN 1 THEN ", first, " WHEN 2 THEN ", second,
                  " WHEN 3 THEN CASE WHEN i % 2 = 0 THEN ", first, " END WHEN 4 THEN CASE WHEN i % 2 = 0 ", "THEN ",
                  first, " ELSE ", second, " END ELSE CASE i % 3 WHEN 0 THEN ", first, " WHEN 1 THEN ", second,
                  " END END FROM range(150) r(i)")));
    Ours("CALL yarrow_flush('y.main.t', max_segment_rows = 25)");
    const std::string initial = OneIn(2) ? "" : " DEFAULT " + first;
    ASSERT_TRUE(Both(Join("ALTER TABLE t ADD COLUMN w ", values.type, initial)));
    ASSERT_TRUE(Both(Join("INSERT INTO t SELECT i, ", first, ", CASE WHEN i % 2 = 0 THEN ", second,
                          " END FROM range(150, 200) r(i)")));
    Ours("CALL yarrow_flush('y.main.t', max_segment_rows = 25)");
  }
};

TEST_F(ColdFiltersTest, StatisticsChangeNoAnswer) {
  YARROW_TRACE_SEED(seed_);
  for (const Values& values : ValuesOfTypes()) {
    ASSERT_NO_FATAL_FAILURE(MakeTable(values));
    for (int i = 0; i < test::Rounds(60) && !HasFailure(); ++i) {
      Both(Join("SELECT count(*), sum(id) FROM t WHERE ", Condition(values, 2)));
    }
    ASSERT_FALSE(HasFailure()) << values.type;
  }
}

}  // namespace
}  // namespace yarrow::sql
