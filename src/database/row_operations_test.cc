// Insert, Put, Update, Delete, SoftDelete, Purge and Get, one row at a time.
#include <atomic>
#include <map>
#include <thread>

#include "database_fixture.h"
#include "random_seed.h"
#include "value_generator.h"

namespace yarrow {
namespace {

using test::Column;
using test::List;
using test::ReadTexts;
using test::Spec;
using test::TextOf;
using test::Texts;

class RowOperationsTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    items_ = Create(test::ItemsSpec());
  }
  bool Found(const arrow::Result<bool>& result) {
    EXPECT_OK(result.status());
    return result.ValueOr(false);
  }
  std::shared_ptr<Table> items_;
};

TEST_F(RowOperationsTest, InsertRefusesAnExistingKeyAndPutReplaces) {
  ASSERT_OK(items_->Insert({1, 2, "one", 1.5}));
  const auto status = items_->Insert({1, 3, "uno", 2.5});
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_ERROR_HAS(status, "main.items");
  EXPECT_ERROR_HAS(status, "key (1)");
  EXPECT_EQ(TextOf(items_->Get({1})), "1|2|one|1.5");
  ASSERT_OK(items_->Put({1, 3, "uno", Value()}));
  EXPECT_EQ(TextOf(items_->Get({1})), "1|3|uno|null");
}

TEST_F(RowOperationsTest, UpdateChangesWhatItNames) {
  EXPECT_FALSE(Found(items_->Update({1}, {{"name", "x"}})));
  ASSERT_OK(items_->Put({1, 2, "one", 1.5}));
  EXPECT_TRUE(Found(items_->Update({1}, {{"NAME", "new"}, {"grp", 7}})));
  EXPECT_EQ(TextOf(items_->Get({1})), "1|7|new|1.5");
  EXPECT_TRUE(Found(items_->Update({1}, {{"price", Value()}})));
  EXPECT_TRUE(Found(items_->Update({1}, {})));
  EXPECT_EQ(TextOf(items_->Get({1})), "1|7|new|null");
  EXPECT_ERROR_HAS(items_->Update({1}, {{"cost", 1}}), "Table main.items has no column 'cost'");
  EXPECT_ERROR_HAS(items_->Update({1}, {{"id", 2}}), "column 'id' is part of the primary key");
  EXPECT_ERROR_HAS(items_->Update({1}, {{"grp", int64_t{1} << 40}}), "key (1)");
  EXPECT_EQ(TextOf(items_->Get({1})), "1|7|new|null");
}

TEST_F(RowOperationsTest, SoftDeletedRowsAreSeenByNothingButPurge) {
  ASSERT_OK(items_->Put({1, 2, "one", 1.5}));
  EXPECT_FALSE(Found(items_->Purge({1}))) << "a live row is not purged";
  EXPECT_TRUE(Found(items_->SoftDelete({1})));
  EXPECT_EQ(TextOf(items_->Get({1})), "none");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), Texts{});
  EXPECT_FALSE(Found(items_->Update({1}, {{"grp", 1}})));
  EXPECT_FALSE(Found(items_->Delete({1})));
  EXPECT_FALSE(Found(items_->SoftDelete({1})));
  ScanMetrics metrics;
  ASSERT_OK(ReadTexts(*items_, {}, &metrics).status());
  EXPECT_EQ(metrics.rows_visited, 1u) << "its bytes are kept";
  EXPECT_TRUE(Found(items_->Purge({1})));
  ASSERT_OK(ReadTexts(*items_, {}, &metrics).status());
  EXPECT_EQ(metrics.rows_visited, 0u) << "its bytes are gone";
  EXPECT_FALSE(Found(items_->Purge({1})));

  ASSERT_OK(items_->Put({2, 2, "two", 2.5}));
  EXPECT_TRUE(Found(items_->SoftDelete({2})));
  ASSERT_OK(items_->Insert({2, 3, "again", 3.5}));  // its key is free
  EXPECT_EQ(TextOf(items_->Get({2})), "2|3|again|3.5");
  EXPECT_TRUE(Found(items_->SoftDelete({2})));
  ASSERT_OK(items_->Put({2, 4, "third", 3.5}));
  EXPECT_EQ(TextOf(items_->Get({2})), "2|4|third|3.5");
  EXPECT_TRUE(Found(items_->Delete({2})));
  EXPECT_FALSE(Found(items_->Delete({2})));
  EXPECT_EQ(TextOf(items_->Get({2})), "none");
}

TEST_F(RowOperationsTest, MisfitsAreErrorsThatNameTableColumnKeyAndValue) {
  const auto table = Create(Spec("strict",
                                 {Column("k", TypeId::kInt16), Column("t", TypeId::kUtf8, false),
                                  Column("d", ColumnType::Decimal(5, 2)), Column("u", TypeId::kUInt8)},
                                 {"k"}));
  const auto refuse = [&](std::initializer_list<Value> row, std::vector<const char*> texts) {
    for (const char* text : texts) {
      EXPECT_ERROR_HAS(table->Put(row), text);
      EXPECT_ERROR_HAS(table->Insert(row), text);
    }
  };
  refuse({1, "x", 1}, {"strict", "4 columns", "3 values"});
  refuse({1, "x", 1, 1, 1}, {"4 columns", "5 values"});
  refuse({7, Value(), 1, 1}, {"table main.strict, column t, key (7)", "NOT NULL"});
  refuse({Value(), "x", 1, 1}, {"column k", "NOT NULL"});
  refuse({7, "x", 1, 256}, {"column u, key (7)", "256"});
  refuse({7, "x", 1, -1}, {"column u, key (7)", "-1"});
  refuse({70000, "x", 1, 1}, {"column k", "70000"});
  refuse({7, "x", 1000, 1}, {"column d, key (7)", "1000"});
  refuse({7, "\xFF", 1, 1}, {"column t, key (7)"});
  refuse({7, 12, 1, 1}, {"column t, key (7)", "12"});
  refuse({7, "x", "12", 1}, {"column d, key (7)", "12"});
  EXPECT_EQ(ReadTexts(*table).ValueOrDie(), Texts{});
  // What fits is cast.
  ASSERT_OK(table->Put({7.0, "x", 12, 255u}));
  refuse({8u, "y", Decimal{1234, 3}, Value()}, {"column d, key (8)", "1.234"});
  ASSERT_OK(table->Put({8u, "y", Decimal{12300, 4}, Value()}));
  EXPECT_EQ(TextOf(table->Get({8})), "8|y|1.23|null");
  EXPECT_EQ(TextOf(table->Get({7})), "7|x|12.00|255");
  ASSERT_OK_AND_ASSIGN(const auto row, table->Get({7u}));
  EXPECT_EQ(row->Get("d").ValueOrDie().get<Decimal>().scale, 2);

  EXPECT_ERROR_HAS(table->Update({7}, {{"t", Value()}}), "table main.strict, column t, key (7)");
  EXPECT_ERROR_HAS(table->Get({1, 2}), "its key has 1 column but 2 values were given");
  EXPECT_ERROR_HAS(table->Delete({}), "its key has 1 column but 0 values were given");
  EXPECT_ERROR_HAS(table->Get({"seven"}), "column k");
  EXPECT_ERROR_HAS(table->Get({Value()}), "column k");
  EXPECT_ERROR_HAS(row->Get("nothing"), "has no column 'nothing'");
  EXPECT_ERROR_HAS(row->Get(4), "has no column number 4");
  EXPECT_ERROR_HAS(row->Get(-1), "has no column number -1");
}

std::vector<ColumnType> TypesOf(const std::vector<ColumnSpec>& columns) {
  std::vector<ColumnType> types;
  for (const ColumnSpec& column : columns) types.push_back(column.type);
  return types;
}

TEST_F(RowOperationsTest, EveryTypeComesBackAsItWentIn) {
  std::vector<ColumnSpec> columns = {Column("id", TypeId::kInt64)};
  for (const ColumnType& type : test::AllColumnTypes())
    columns.push_back(Column("c" + std::to_string(columns.size()), type));
  const auto table = Create(Spec("types", columns, {"id"}));
  test::ValueGenerator generator(test::RandomSeed());
  YARROW_TRACE_SEED(test::RandomSeed());
  test::Rows rows;
  for (int64_t i = 0; i < test::Rounds(200); ++i) {
    std::vector<Value> row = {i};
    for (size_t c = 1; c < columns.size(); ++c) row.push_back(generator.AnyValueOrNull(columns[c].type));
    ASSERT_OK(table->Put(List(row)));
    rows.push_back(std::move(row));
  }
  ASSERT_OK_AND_ASSIGN(const auto expected, test::BatchOf(table->schema(), TypesOf(columns), rows));
  ASSERT_OK_AND_ASSIGN(const auto scan, table->Scan());
  ASSERT_OK_AND_ASSIGN(const auto scanned, scan->ToTable());
  ASSERT_OK_AND_ASSIGN(const auto scanned_batch, scanned->CombineChunksToBatch());
  const auto same = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
  EXPECT_TRUE(scanned_batch->Equals(*expected, true, same));
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const auto row, table->Get({rows[i][0]}));
    ASSERT_OK_AND_ASSIGN(const auto batch, row->ToBatch());
    EXPECT_TRUE(batch->Equals(*expected->Slice(static_cast<int64_t>(i), 1), true, same));
    for (size_t c = 0; c < columns.size(); ++c) {
      ASSERT_OK_AND_ASSIGN(const Value value, row->Get(static_cast<int>(c)));
      EXPECT_EQ(value.ToString(columns[c].type), rows[i][c].ToString(columns[c].type)) << columns[c].type.ToString();
    }
  }
}

TEST_F(RowOperationsTest, KeysOfEveryTypeAndCompositeKeys) {
  test::ValueGenerator generator(test::RandomSeed());
  YARROW_TRACE_SEED(test::RandomSeed());
  int number = 0;
  for (const ColumnType& type : test::AllKeyTypes()) {
    SCOPED_TRACE(type.ToString());
    const auto table =
        Create(Spec("k" + std::to_string(number++),
                    {Column("v", TypeId::kInt32), Column("b", type), Column("a", TypeId::kUtf8)}, {"a", "b"}));
    std::map<std::pair<std::string, std::string>, int> model;
    for (int i = 0; i < 60; ++i) {
      const Value b = generator.AnyValue(type);
      const std::string a = generator.OneIn(2) ? "" : "a";
      ASSERT_OK(table->Put({i, b, a}));
      ASSERT_OK_AND_ASSIGN(const auto row, table->Get({a, b}));
      ASSERT_TRUE(row.has_value());
      ASSERT_OK_AND_ASSIGN(const Value back, row->Get("b"));
      EXPECT_EQ(back.ToString(type), b.ToString(type));
      EXPECT_EQ(row->Get("v").ValueOrDie().get<int64_t>(), i);
      EXPECT_TRUE(table->Insert({i, b, a}).IsAlreadyExists());
      std::string text = b.ToString(type);
      if (text == "-0.0" || text == "-0") text = "0.0";  // equal keys
      if (text == "0") text = "0.0";
      model[{a, text}] = i;
    }
    EXPECT_EQ(ReadTexts(*table).ValueOrDie().size(), model.size());
  }
}

TEST_F(RowOperationsTest, TablesWithoutKeyHideTheirRowId) {
  const auto log = Create(Spec("log", {Column("line", TypeId::kUtf8), Column("n", TypeId::kInt32)}, {}));
  EXPECT_EQ(log->schema()->num_fields(), 2);
  ASSERT_OK(log->Put({"a", 1}));
  ASSERT_OK(log->Insert({"a", 1}));  // no key: the same row twice
  ASSERT_OK(log->Put({"b", 2}));
  EXPECT_ERROR_HAS(log->Put({"b"}), "2 columns but 1 values");
  EXPECT_ERROR_HAS(log->Put({"b", 2, 3}), "2 columns but 3 values");
  EXPECT_EQ(ReadTexts(*log).ValueOrDie(), (Texts{"a|1", "a|1", "b|2"}));
  ScanOptions options;
  options.columns = {"_row_id"};
  EXPECT_ERROR_HAS(log->Scan(options), "has no column '_row_id'; its columns are: line, n");
  options.columns.reset();
  options.filter = test::cp::equal(test::Field("_row_id"), test::Lit(int64_t{1}));
  EXPECT_ERROR_HAS(log->Scan(options), "has no column '_row_id'; its columns are: line, n");
  options.filter = test::cp::equal(test::cp::field_ref(2), test::Lit(int64_t{1}));
  EXPECT_ERROR_HAS(log->Scan(options), "has no column");
  options.filter = test::cp::equal(test::Field("x"), test::Lit(int64_t{1}));
  EXPECT_ERROR_HAS(log->Scan(options), "its columns are: line, n");

  // Row ids are known to nobody, but a row found by one shows no more than others.
  ASSERT_OK_AND_ASSIGN(const auto row, log->Get({1}));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(TextOf(log->Get({1})), "a|1");
  EXPECT_EQ(row->ToBatch().ValueOrDie()->schema().get(), log->schema().get());
  EXPECT_ERROR_HAS(row->Get("_row_id"), "has no column");
  EXPECT_ERROR_HAS(row->Get(2), "has no column number 2; it has 2 columns");
  EXPECT_ERROR_HAS(log->Update({1}, {{"_row_id", 9}}), "has no column '_row_id'");

  const auto stray = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("line", arrow::utf8()), arrow::field("_row_id", arrow::int64())}), 0,
      {arrow::MakeEmptyArray(arrow::utf8()).ValueOrDie(), arrow::MakeEmptyArray(arrow::int64()).ValueOrDie()});
  EXPECT_ERROR_HAS(log->Write(*stray), "has no column '_row_id'; its columns are: line, n");
}

TEST_F(RowOperationsTest, RowIdsIncreaseAcrossReopen) {
  ASSERT_OK(db_->CreateTable(Spec("log", {Column("n", TypeId::kInt32)}, {})).status());
  Texts expected;
  items_.reset();
  for (int round = 0; round < 4; ++round) {
    auto log = OpenTable("log");
    for (int i = 0; i < 5; ++i) {
      ASSERT_OK(log->Put({round * 10 + i}));
      expected.push_back(std::to_string(round * 10 + i));
    }
    ASSERT_OK_AND_ASSIGN(const auto batch, test::BatchOf(log->schema(), {{round * 10 + 5}, {round * 10 + 6}}));
    ASSERT_OK(log->Write(*batch));
    Load(log.get(), {batch});
    for (int i : {5, 6, 5, 6}) expected.push_back(std::to_string(round * 10 + i));
    if (round == 0) ASSERT_OK(log->Write(*batch->Slice(0, 0)));
    EXPECT_EQ(ReadTexts(*log).ValueOrDie(), expected) << "in the order they were written";
    if (round < 3) {
      log.reset();
      Reopen();
    }
  }
}

TEST_F(RowOperationsTest, ConcurrentIncrementsAllCount) {
  ASSERT_OK(items_->Put({1, 0, "counter", 0.0}));
  constexpr int kThreads = 4, kRounds = 100;
  std::vector<std::thread> threads;
  std::atomic<int> inserted{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        // Read and add in one transaction, again when another was first.
        while (true) {
          const auto transaction = session_->Begin().ValueOrDie();
          const std::vector<Value> key = {1};
          const auto row = transaction->Get(*items_, key).ValueOrDie();
          const std::pair<std::string, Value> set[] = {{"grp", row->Get("grp").ValueOrDie().get<int64_t>() + 1}};
          const auto updated = transaction->Update(*items_, key, set);
          const auto status = updated.ok() ? transaction->Commit() : updated.status();
          if (status.ok()) break;
          ASSERT_TRUE(IsConflict(status)) << status.ToString();
        }
        if (items_->Insert({1000 + i, t, "first wins", 0.0}).ok()) ++inserted;
        EXPECT_OK(items_->Update({1}, {{"name", "by " + std::to_string(t)}}).status());  // never loses a race
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_OK_AND_ASSIGN(const auto row, items_->Get({1}));
  EXPECT_EQ(row->Get("grp").ValueOrDie().get<int64_t>(), kThreads * kRounds);
  EXPECT_EQ(inserted, kRounds) << "one insert of each key";
}

}  // namespace
}  // namespace yarrow
