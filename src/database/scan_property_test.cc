// Random filters over random tables: a scan with any options returns what Arrow's own filter leaves of ScanAll.
#include <algorithm>

#include "catalog/table_schema.h"
#include "database_fixture.h"
#include "random_filter.h"
#include "random_seed.h"

namespace yarrow {
namespace {

using test::Below;
using test::OneIn;
using test::Texts;

namespace cp = arrow::compute;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectAll(const Table& table) {
  return table.ScanAll();
}
#pragma GCC diagnostic pop

class ParallelScanPropertyTest : public test::DatabaseTest {
 protected:
  // Two to six columns of any type, the first one or two the key, and a column that makes the rows wide, so that there
  // are several pieces; deleted, soft-deleted and replaced rows, some of them loaded, some in the memtable.
  std::shared_ptr<Table> RandomTable(int number, test::Random& random) {
    std::vector<ColumnSpec> columns;
    std::vector<std::string> key;
    const size_t key_size = 1 + Below(random, 2);
    for (size_t c = 0; c < key_size + 1 + Below(random, 4); ++c) {
      columns.push_back(test::Column("c" + std::to_string(c), test::RandomType(random), OneIn(random, 2)));
      if (c < key_size) key.push_back(columns.back().name);
    }
    columns.push_back(test::Column("pad", TypeId::kBinary, false));
    auto table = Create(test::Spec("t" + std::to_string(number), columns, key));
    const auto random_row = [&] {
      std::vector<Value> row;
      for (size_t c = 0; c + 1 < columns.size(); ++c) {
        const bool may_be_null = c >= key_size && columns[c].nullable;
        row.push_back(may_be_null && OneIn(random, 4) ? Value() : test::RandomValue(columns[c].type, random));
      }
      std::string pad(40000, '\0');  // that no compression makes small
      for (char& byte : pad) byte = static_cast<char>(random());
      row.push_back(std::move(pad));
      return row;
    };
    test::Rows rows(80);
    for (auto& row : rows) row = random_row();
    const auto reader = test::ReaderOf({test::BatchOf(table->schema(), rows).ValueOrDie()});
    EXPECT_OK(table->BulkLoad(reader.get(), {.mode = WriteMode::kUpsert}).status());
    for (int i = 0; i < 40; ++i) {
      const auto row = random_row();
      const ValueList row_key(row.data(), key_size);
      EXPECT_OK(OneIn(random, 3)   ? table->Put(test::List(row))
                : OneIn(random, 2) ? table->Delete(row_key).status()
                                   : table->SoftDelete(row_key).status());
    }
    return table;
  }

  // Rows of `all` for which the filter is true; an error when Arrow refuses.
  static arrow::Result<Texts> Filtered(const cp::Expression& filter, const std::shared_ptr<arrow::RecordBatch>& all) {
    ARROW_ASSIGN_OR_RAISE(const auto bound, filter.Bind(*all->schema()));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum passes, cp::ExecuteScalarExpression(bound, *all->schema(), arrow::Datum(all)));
    if (passes.is_scalar()) {
      ARROW_ASSIGN_OR_RAISE(passes, arrow::MakeArrayFromScalar(*passes.scalar(), all->num_rows()));
    }
    const auto array = passes.make_array();
    const auto& truths = static_cast<const arrow::BooleanArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(const auto shown, all->RemoveColumn(all->num_columns() - 1));
    const Texts texts = test::TextsOf(*shown);
    Texts passed;
    for (int64_t i = 0; i < truths.length(); ++i) {
      if (truths.IsValid(i) && truths.Value(i)) passed.push_back(texts[static_cast<size_t>(i)]);
    }
    return passed;
  }

  static void Check(const Table& table, ScanOptions options, const Texts& passed) {
    Texts expected = passed;
    if (options.reverse) std::reverse(expected.begin(), expected.end());
    const size_t count = std::min(expected.size(), static_cast<size_t>(options.limit.value_or(1 << 20)));
    auto rows = test::ReadTexts(table, options);
    ASSERT_OK(rows.status());
    if (options.ordered || options.threads == 1) {
      expected.resize(count);
      ASSERT_EQ(*rows, expected);
      return;
    }
    std::sort(rows->begin(), rows->end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(rows->size(), count);
    ASSERT_TRUE(std::includes(expected.begin(), expected.end(), rows->begin(), rows->end()));
  }
};

TEST_F(ParallelScanPropertyTest, AnyScanIsFilteredScanAll) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  test::Random random(seed);
  ASSERT_OK(cp::Initialize());
  int compared = 0, filters = 0, in_pieces = 0;
  for (int round = 0; round < test::Rounds(25) && !HasFailure(); ++round) {
    const auto table = RandomTable(round, random);
    if (OneIn(random, 2)) ASSERT_OK(db_->store()->FlushMemtables());
    ASSERT_OK_AND_ASSIGN(const auto all, CollectAll(*table));
    ScanOptions three;
    three.threads = 3;
    ASSERT_OK_AND_ASSIGN(const auto parallel, table->Scan(three));
    in_pieces += parallel->Explain().find("pieces: 1\n") == std::string::npos;
    ASSERT_OK_AND_ASSIGN(const auto row_schema, MakeRowSchema(table->definition(), 5));
    for (int i = 0; i < 12 && !HasFailure(); ++i) {
      ScanOptions options;
      options.columns = table->schema()->field_names();
      options.columns->pop_back();
      ASSERT_OK_AND_ASSIGN(options.filter, test::RandomFilter(*row_schema, static_cast<int>(Below(random, 4)), random));
      SCOPED_TRACE(options.filter.ToString() + "\nover " + table->schema()->ToString());
      ++filters;
      const auto passed = Filtered(options.filter, all);
      if (!passed.ok()) continue;
      ++compared;
      for (const bool reverse : {false, true}) {
        for (const auto& [threads, ordered] : {std::pair{1, true}, {3, true}, {2, false}}) {
          options.reverse = reverse;
          options.threads = threads;
          options.ordered = ordered;
          options.batch_size = OneIn(random, 2) ? 8192 : 1 + static_cast<int64_t>(Below(random, 20));
          options.limit.reset();
          Check(*table, options, *passed);
          options.limit = static_cast<int64_t>(Below(random, passed->size() + 2));
          Check(*table, options, *passed);
        }
      }
    }
  }
  EXPECT_GT(in_pieces, 0) << "no table had several pieces";
  EXPECT_GT(compared, filters * 6 / 10) << "too few filters that Arrow takes";
}

}  // namespace
}  // namespace yarrow
