// Scans with several threads: the same rows, in order when asked, ended early, failing, and in bounded memory.
#include <arrow/memory_pool.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <random>
#include <thread>

#include "database_fixture.h"
#include "key/key_codec.h"
#include "scan/morsels.h"
#include "store/store_commits.h"
#include "store/system_partition.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using test::Field;
using test::Lit;
using test::ReadTexts;
using test::Texts;

namespace cp = arrow::compute;
using arrow::Status;

class ParallelScanTest : public test::DatabaseTest {
 protected:
  // Rows of about a kilobyte that compress badly, so that there are many pieces. About a tenth stays in the memtable.
  std::shared_ptr<Table> CreateWide(int64_t rows) {
    auto table = Create(test::Spec(
        "wide",
        {test::Column("id", TypeId::kInt64), test::Column("n", TypeId::kInt32), test::Column("pad", TypeId::kBinary)},
        {"id"}));
    std::mt19937_64 random(1);
    arrow::Int64Builder ids;
    arrow::Int32Builder numbers;
    arrow::BinaryBuilder pads;
    std::string pad(1000, '\0');
    for (int64_t i = 0; i < rows; ++i) {
      for (size_t b = 0; b < pad.size(); b += 8) {
        const uint64_t bits = random();
        std::memcpy(&pad[b], &bits, 8);
      }
      EXPECT_OK(ids.Append(i));
      EXPECT_OK(numbers.Append(static_cast<int32_t>(i % 1000)));
      EXPECT_OK(pads.Append(pad));
    }
    Load(table.get(),
         {arrow::RecordBatch::Make(table->schema(), rows, {*ids.Finish(), *numbers.Finish(), *pads.Finish()})});
    for (int64_t i = 0; i < rows; i += 10) EXPECT_OK(table->Update({i}, {{"n", -1}}).status());
    return table;
  }
  static ScanOptions With(int threads, bool ordered = true, bool reverse = false) {
    ScanOptions options;
    options.threads = threads;
    options.ordered = ordered;
    options.reverse = reverse;
    options.columns = {"id", "n"};
    return options;
  }
};

// Throws when it was asked often enough.
class ThrowingPool : public arrow::ProxyMemoryPool {
 public:
  explicit ThrowingPool(int64_t allocations) : ProxyMemoryPool(arrow::default_memory_pool()), left_(allocations) {}
  Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    if (--left_ < 0) throw std::bad_alloc();
    return ProxyMemoryPool::Allocate(size, alignment, out);
  }

 private:
  std::atomic<int64_t> left_;
};

TEST_F(ParallelScanTest, AnExceptionInAThreadIsTheErrorOfTheScan) {
  const auto table = CreateWide(4000);
  for (const int64_t allocations : {0, 1, 2}) {
    for (const bool ordered : {true, false}) {
      ThrowingPool pool(allocations);
      ScanOptions options = With(4, ordered);
      options.memory_pool = &pool;
      const auto rows = ReadTexts(*table, options);
      EXPECT_TRUE(rows.status().IsOutOfMemory()) << rows.status().ToString();
    }
  }
  EXPECT_EQ(ReadTexts(*table, With(4)).ValueOrDie().size(), 4000u);
}

TEST_F(ParallelScanTest, SameRowsInOrderWhenAsked) {
  const auto wide = CreateWide(20000);
  const std::vector<cp::Expression> filters = {
      {},
      cp::equal(Field("n"), Lit(7)),
      cp::or_(cp::less(Field("id"), Lit(int64_t{3000})), cp::greater(Field("id"), Lit(int64_t{15000}))),
      cp::equal(cp::call("add", {Field("n"), Lit(1)}), Lit(0)),
      cp::literal(false)};
  for (const auto& filter : filters) {
    for (const bool reverse : {false, true}) {
      ScanOptions options = With(1, true, reverse);
      options.filter = filter;
      const Texts expected = ReadTexts(*wide, options).ValueOrDie();
      for (const int threads : {2, 4, 0}) {
        for (const bool ordered : {true, false}) {
          options.threads = threads;
          options.ordered = ordered;
          ScanMetrics metrics;
          ASSERT_OK_AND_ASSIGN(Texts rows, ReadTexts(*wide, options, &metrics));
          if (!ordered) {
            Texts sorted = expected;
            std::sort(sorted.begin(), sorted.end());
            std::sort(rows.begin(), rows.end());
            EXPECT_EQ(rows == sorted, true) << threads << " threads, any order";
          } else {
            EXPECT_EQ(rows == expected, true) << threads << " threads" << (reverse ? ", reverse" : "");
          }
          if (!filter.is_valid()) {
            EXPECT_EQ(metrics.rows_visited, 20000u);
          }
        }
      }
    }
  }
}

TEST_F(ParallelScanTest, RunsInSeveralPieces) {
  const auto wide = CreateWide(20000);
  ASSERT_OK_AND_ASSIGN(const auto scan, wide->Scan(With(4)));
  const std::string text = scan->Explain();
  const auto at = text.find("pieces: ");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_GE(std::stoi(text.substr(at + 8)), 4) << text;
}

TEST_F(ParallelScanTest, EveryPieceHasTheTransactionsOwnWrites) {
  const auto wide = CreateWide(12000);
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  for (int64_t i = -50; i < 12050; i += 7) {
    const std::vector<Value> key = {i}, row = {i, -5, "own"};
    if (i % 2 == 0) {
      ASSERT_OK(transaction->Delete(*wide, key).status());
    } else {
      ASSERT_OK(transaction->Put(*wide, row));
    }
  }
  const std::vector<cp::Expression> filters = {
      {},
      cp::equal(Field("n"), Lit(-5)),
      cp::or_(cp::less(Field("id"), Lit(int64_t{3000})), cp::greater(Field("id"), Lit(int64_t{9000})))};
  for (const auto& filter : filters) {
    for (const bool reverse : {false, true}) {
      ScanOptions options = With(1, true, reverse);
      options.filter = filter;
      Texts expected = ReadTexts(transaction.get(), *wide, options).ValueOrDie();
      EXPECT_EQ(expected.empty(), false);
      options.threads = 3;
      EXPECT_EQ(ReadTexts(transaction.get(), *wide, options).ValueOrDie() == expected, true);
      options.limit = 1000;
      EXPECT_EQ(
          ReadTexts(transaction.get(), *wide, options).ValueOrDie() ==
              Texts(expected.begin(), expected.begin() + std::min<long>(1000, static_cast<long>(expected.size()))),
          true);
      options.limit.reset();
      options.ordered = false;
      Texts rows = ReadTexts(transaction.get(), *wide, options).ValueOrDie();
      std::sort(rows.begin(), rows.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(rows == expected, true);
    }
  }
}

TEST_F(ParallelScanTest, ManySingleKeysAreSpreadOverThePieces) {
  const auto wide = CreateWide(12000);
  arrow::Int64Builder keys;
  for (int64_t i = 3; i < 13000; i += 40) ASSERT_OK(keys.Append(i));
  ScanOptions options = With(3);
  options.filter = cp::call("is_in", {Field("id")}, cp::SetLookupOptions(*keys.Finish()));
  ASSERT_OK_AND_ASSIGN(const auto scan, wide->Scan(options));
  EXPECT_EQ(scan->Explain().find("pieces: 1\n"), std::string::npos) << scan->Explain();
  EXPECT_EQ(ReadTexts(scan.get()).ValueOrDie().size(), 300u);
  EXPECT_EQ(scan->metrics().rows_visited, 300u);
}

TEST_F(ParallelScanTest, LimitsCutExactly) {
  const auto wide = CreateWide(20000);
  for (const bool reverse : {false, true}) {
    const Texts all = ReadTexts(*wide, With(1, true, reverse)).ValueOrDie();
    for (const int64_t limit : {0, 1, 8193, 15000, 30000}) {
      for (const bool filtered : {false, true}) {
        ScanOptions options = With(3, true, reverse);
        options.limit = limit;
        if (filtered) options.filter = cp::greater_equal(Field("n"), Lit(-1));
        ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*wide, options));
        const auto count = std::min<size_t>(static_cast<size_t>(limit), all.size());
        EXPECT_EQ(rows == Texts(all.begin(), all.begin() + static_cast<long>(count)), true) << limit;
        options.ordered = false;
        EXPECT_EQ(ReadTexts(*wide, options).ValueOrDie().size(), count);
      }
    }
  }
}

TEST_F(ParallelScanTest, CancelFromAnotherThreadEndsScansOfAnyKind) {
  const auto wide = CreateWide(8000);
  for (const int threads : {1, 3}) {
    for (const bool ordered : {true, false}) {
      ScanOptions options = With(threads, ordered);
      options.batch_size = 10;
      ASSERT_OK_AND_ASSIGN(const auto scan, wide->Scan(options));
      std::shared_ptr<arrow::RecordBatch> batch;
      ASSERT_OK(scan->ReadNext(&batch));
      std::thread canceller([&] { scan->Cancel(); });
      arrow::Status status;
      while ((status = scan->ReadNext(&batch)).ok() && batch != nullptr) (void)scan->metrics();
      canceller.join();
      // It may have come to its end before it was cancelled, but not when it was cancelled before.
      if (!status.ok()) {
        EXPECT_TRUE(status.IsCancelled()) << status.ToString();
      }
      ASSERT_OK_AND_ASSIGN(const auto second, wide->Scan(options));
      ASSERT_OK(second->ReadNext(&batch));
      second->Cancel();
      EXPECT_TRUE(second->ReadNext(&batch).IsCancelled());
      ASSERT_OK_AND_ASSIGN(const auto unread, wide->Scan(options));
      unread->Cancel();
      EXPECT_TRUE(unread->ReadNext(&batch).IsCancelled());
    }
  }
}

TEST_F(ParallelScanTest, CancelReachesScansThatFindNothing) {
  const auto wide = CreateWide(8000);
  ScanOptions options = With(2);
  options.filter = cp::equal(Field("n"), Lit(-7));
  ASSERT_OK_AND_ASSIGN(const auto scan, wide->Scan(options));
  std::thread canceller([&] { scan->Cancel(); });
  std::shared_ptr<arrow::RecordBatch> batch;
  const arrow::Status status = scan->ReadNext(&batch);
  canceller.join();
  EXPECT_TRUE(status.ok() || status.IsCancelled()) << status.ToString();
  EXPECT_EQ(batch, nullptr);
}

TEST_F(ParallelScanTest, CloseOrDestroyHalfWay) {
  const auto wide = CreateWide(20000);
  for (const bool ordered : {true, false}) {
    ScanOptions options = With(4, ordered);
    options.columns.reset();
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK_AND_ASSIGN(auto scan, wide->Scan(options));
    ASSERT_OK(scan->ReadNext(&batch));
    ASSERT_OK(scan->Close());
    EXPECT_LT(scan->metrics().rows_visited, 20000u + 1);
    ASSERT_OK(scan->ReadNext(&batch));
    EXPECT_EQ(batch, nullptr);
    ASSERT_OK_AND_ASSIGN(scan, wide->Scan(options));
    ASSERT_OK(scan->ReadNext(&batch));
    scan.reset();
    ASSERT_OK_AND_ASSIGN(scan, wide->Scan(options));  // never read
    scan.reset();
    EXPECT_EQ(batch->num_rows() > 0, true) << "the batch outlives its scan";
  }
}

TEST_F(ParallelScanTest, DamagedRowIsAnErrorThatNamesItNeverSkipped) {
  const auto wide = CreateWide(8000);
  // A row that says it is of a schema version that the table never had.
  auto cursor_spec = ScanSpec{};
  ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*db_->store(), "rows"));
  cursor_spec.partition = rows;
  ScanCursor cursor = db_->store()->Scan(cursor_spec);
  for (int i = 0; i <= 5000; ++i) ASSERT_TRUE(cursor.Next());
  const std::string key(cursor.key()), whole(cursor.value());
  for (const std::string& damaged : {whole.substr(0, 20), whole.substr(0, 1), std::string()}) {
    ASSERT_OK(db_->store()->commits().CommitPut(rows, key, damaged).status());
    for (const int threads : {1, 4}) {
      for (const bool ordered : {true, false}) {
        for (const bool filtered : {false, true}) {
          ScanOptions options = With(threads, ordered);
          if (filtered) options.filter = cp::less(Field("n"), Lit(2000));
          const auto result = ReadTexts(*wide, options);
          EXPECT_ERROR_HAS(result, "main.wide");
          EXPECT_ERROR_HAS(result, "key (5000)");
        }
      }
    }
    const auto row = wide->Get({5000});
    if (row.ok()) {
      EXPECT_FALSE((*row)->Get("n").ok());
    }
    EXPECT_FALSE(wide->Update({5000}, {{"n", 1}}).ok());
  }
  // The failure stays: reading on does not step over the row.
  ASSERT_OK_AND_ASSIGN(const auto scan, wide->Scan(With(1)));
  std::shared_ptr<arrow::RecordBatch> batch;
  arrow::Status status;
  while ((status = scan->ReadNext(&batch)).ok() && batch != nullptr) {
  }
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(scan->ReadNext(&batch).ok());
}

TEST_F(ParallelScanTest, MemoryIsBoundedWhenTheReaderIsSlow) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "minutes, and the threads are those of the other tests";
#endif
  // 400 MB decoded, that compress to little: one piece is far more than may wait.
  const auto table =
      Create(test::Spec("easy", {test::Column("id", TypeId::kInt64), test::Column("pad", TypeId::kUtf8)}, {"id"}));
  arrow::Int64Builder ids;
  arrow::StringBuilder pads;
  const std::string pad(4000, 'x');
  for (int64_t first = 0; first < 100000; first += 10000) {
    for (int64_t i = first; i < first + 10000; ++i) {
      ASSERT_OK(ids.Append(i));
      ASSERT_OK(pads.Append(pad));
    }
    Load(table.get(), {arrow::RecordBatch::Make(table->schema(), 10000, {*ids.Finish(), *pads.Finish()})});
  }
  for (const int threads : {1, 2, 4}) {
    for (const bool ordered : {true, false}) {
      arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
      ScanOptions options;
      options.threads = threads;
      options.ordered = ordered;
      options.memory_pool = &pool;
      ASSERT_OK_AND_ASSIGN(const auto scan, table->Scan(options));
      std::shared_ptr<arrow::RecordBatch> batch;
      int64_t rows = 0, most = 0;
      while (true) {
        ASSERT_OK(scan->ReadNext(&batch));
        if (batch == nullptr) break;
        rows += batch->num_rows();
        if (rows < 30000) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        most = std::max(most, pool.bytes_allocated());
      }
      EXPECT_EQ(rows, 100000);
      EXPECT_GT(most, 0) << "the pool of the options is not used";
      EXPECT_LT(most, (threads == 1 ? int64_t{64} : int64_t{100} + 50 * threads) << 20) << threads << " threads";
    }
  }
}

// --- cutting ---

std::string Ranges(const std::vector<Morsel>& morsels) {
  std::string text;
  for (const Morsel& morsel : morsels) {
    text += '{';
    for (const KeyRange& range : morsel) text += range.lower + "-" + range.upper + " ";
    text += '}';
  }
  return text;
}

TEST(CutAtPointsTest, CutsInsideAndBetweenRanges) {
  const std::vector<KeyRange> one = {{"b", "p"}};
  EXPECT_EQ(Ranges(CutAtPoints(one, {})), "{b-p }");
  EXPECT_EQ(Ranges(CutAtPoints(one, {"d", "k"})), "{b-d }{d-k }{k-p }");
  EXPECT_EQ(Ranges(CutAtPoints(one, {"a", "b", "p", "q"})), "{b-p }") << "points at the ends and outside do nothing";
  EXPECT_EQ(Ranges(CutAtPoints({{"b", ""}}, {"d"})), "{b-d }{d- }") << "open end";
  EXPECT_EQ(Ranges(CutAtPoints({{"", ""}}, {"d"})), "{-d }{d- }");
  const std::vector<KeyRange> many = {{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "k"}};
  EXPECT_EQ(Ranges(CutAtPoints(many, {"bb", "ee", "h"})), "{a-b }{c-d e-ee }{ee-f g-h }{h-k }");
  EXPECT_EQ(Ranges(CutAtPoints(many, {"b", "d", "d1", "d2"})), "{a-b }{c-d }{e-f g-k }");
  EXPECT_EQ(Ranges(CutAtPoints({}, {"b"})), "");
  EXPECT_EQ(Ranges(CutAtPoints({{"c", "c"}}, {"b"})), "");
}

}  // namespace
}  // namespace yarrow
