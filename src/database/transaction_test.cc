// Transactions: one snapshot, own writes, the first committer wins.
#include <atomic>
#include <random>
#include <thread>

#include "database_fixture.h"
#include "store/system_partition.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using test::Field;
using test::ItemsBatch;
using test::List;
using test::Lit;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

namespace cp = arrow::compute;

class TransactionTest : public test::DatabaseTest {
 protected:
  std::unique_ptr<Transaction> Begin() { return session_->Begin().ValueOrDie(); }
  static arrow::Status Put(Transaction& transaction, const Table& table, std::vector<Value> row) {
    return transaction.Put(table, List(row));
  }
  static std::string Get(Transaction& transaction, const Table& table, int64_t id) {
    const std::vector<Value> key = {id};
    return TextOf(transaction.Get(table, key));
  }
  static arrow::Result<bool> Set(Transaction& transaction, const Table& table, int64_t id, std::string name) {
    const std::vector<Value> key = {id};
    const std::pair<std::string, Value> set[] = {{"name", std::move(name)}};
    return transaction.Update(table, key, set);
  }
  static arrow::Result<bool> Delete(Transaction& transaction, const Table& table, int64_t id) {
    const std::vector<Value> key = {id};
    return transaction.Delete(table, key);
  }
};

TEST_F(TransactionTest, ReadsItsMomentAndItsOwnWrites) {
  const auto items = CreateItems(5);
  const auto transaction = Begin();
  ASSERT_OK(items->Put({0, 0, "outside", 0.0}));
  ASSERT_OK(items->Delete({1}).status());
  EXPECT_EQ(Get(*transaction, *items, 0), "0|0|name 0|null");
  EXPECT_EQ(Get(*transaction, *items, 1), "1|1|name 1|1");
  ASSERT_OK(Put(*transaction, *items, {9, 9, "mine", 9.0}));
  ASSERT_OK(Set(*transaction, *items, 2, "changed").status());
  ASSERT_OK(Delete(*transaction, *items, 3).status());
  EXPECT_EQ(Get(*transaction, *items, 9), "9|9|mine|9");
  EXPECT_EQ(Get(*transaction, *items, 2), "2|2|changed|2");
  EXPECT_EQ(Get(*transaction, *items, 3), "none");
  EXPECT_EQ(ReadTexts(transaction.get(), *items).ValueOrDie(),
            (Texts{"0|0|name 0|null", "1|1|name 1|1", "2|2|changed|2", "4|4|name 4|4", "9|9|mine|9"}));
  // Nobody else sees them before the commit, everybody after.
  EXPECT_EQ(TextOf(items->Get({9})), "none");
  EXPECT_EQ(Get(*Begin(), *items, 9), "none");
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), (Texts{"0|0|outside|0", "2|2|changed|2", "4|4|name 4|4", "9|9|mine|9"}));
}

TEST_F(TransactionTest, ScansOfOwnWritesTakeAllOptionsParallelToo) {
  const auto items = CreateItems(30000);
  const auto transaction = Begin();
  ASSERT_OK(transaction->Write(*items, *ItemsBatch(29000, 3000)));
  ASSERT_OK(Set(*transaction, *items, 100, "changed").status());
  for (int64_t i = 200; i < 300; ++i) ASSERT_OK(Delete(*transaction, *items, i).status());
  const std::vector<Value> soft = {310};
  ASSERT_OK(transaction->SoftDelete(*items, soft).status());
  ASSERT_OK(Put(*transaction, *items, {-5, 1, "first", 1.0}));

  ScanOptions options;
  options.columns = {"id"};
  for (const int threads : {1, 4}) {
    options.threads = threads;
    options.limit.reset();
    options.reverse = false;
    options.filter = {};
    ASSERT_OK_AND_ASSIGN(const Texts all, ReadTexts(transaction.get(), *items, options));
    EXPECT_EQ(all.size(), 32000u - 101 + 1);
    EXPECT_EQ(all[0], "-5");
    EXPECT_EQ(all.back(), "31999");
    options.reverse = true;
    ASSERT_OK_AND_ASSIGN(const Texts backwards, ReadTexts(transaction.get(), *items, options));
    EXPECT_EQ(Texts(backwards.rbegin(), backwards.rend()) == all, true);
    options.limit = 2;
    EXPECT_EQ(ReadTexts(transaction.get(), *items, options).ValueOrDie(), (Texts{"31999", "31998"}));
    options.reverse = false;
    options.filter = cp::and_(cp::greater_equal(Field("id"), Lit(int64_t{199})), cp::equal(Field("grp"), Lit(0)));
    EXPECT_EQ(ReadTexts(transaction.get(), *items, options).ValueOrDie(), (Texts{"300", "320"}));
    options.filter = cp::equal(Field("name"), Lit("changed"));
    EXPECT_EQ(ReadTexts(transaction.get(), *items, options).ValueOrDie(), (Texts{"100"}));
    options.filter = cp::or_(cp::less(Field("id"), Lit(int64_t{0})), cp::greater(Field("id"), Lit(int64_t{31000})));
    EXPECT_EQ(ReadTexts(transaction.get(), *items, options).ValueOrDie(), (Texts{"-5", "31001"}));
  }
  options.snapshot = db_->GetSnapshot();
  EXPECT_ERROR_HAS(transaction->Scan(*items, options), "its own snapshot");
}

TEST_F(TransactionTest, ScanDoesNotMeetWritesMadeAfterItBegan) {
  const auto items = CreateItems(10);
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {100, 0, "before", 0.0}));
  ScanOptions options;
  options.batch_size = 1;
  ASSERT_OK_AND_ASSIGN(const auto scan, transaction->Scan(*items, options));
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t rows = 0;
  while (true) {
    ASSERT_OK(scan->ReadNext(&batch));
    if (batch == nullptr) break;
    ++rows;
    ASSERT_LE(rows, 11) << "the scan runs after its own writes";
    ASSERT_OK(Put(*transaction, *items, {1000 + rows, 0, "during", 0.0}));
    ASSERT_OK(Delete(*transaction, *items, rows + 1).status());
  }
  EXPECT_EQ(rows, 11);
  EXPECT_EQ(ReadTexts(transaction.get(), *items).ValueOrDie().size(), 2u + 1 + 11);
  // A scan that is open at the end of the transaction reads on.
  ASSERT_OK_AND_ASSIGN(const auto last, transaction->Scan(*items, options));
  ASSERT_OK(last->ReadNext(&batch));
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(ReadTexts(last.get()).ValueOrDie().size(), 13u);
}

TEST_F(TransactionTest, FirstCommitterOfAKeyWins) {
  const auto items = CreateItems(5);
  const auto first = Begin(), second = Begin();
  ASSERT_OK(Set(*first, *items, 1, "first").status());
  ASSERT_OK(Set(*second, *items, 1, "second").status());
  ASSERT_OK(second->Commit());
  const auto status = first->Commit();
  EXPECT_TRUE(IsConflict(status)) << status.ToString();
  EXPECT_EQ(TextOf(items->Get({1})), "1|1|second|1");
  // So against single-row writes, deletes, inserts of the same new key, and bulk loads.
  const auto loses = [&](auto write, auto meanwhile) {
    const auto transaction = Begin();
    auto result = write(*transaction);
    if (result.ok()) {
      meanwhile();
      result = transaction->Commit();
    }
    EXPECT_TRUE(IsConflict(result)) << result.ToString();
  };
  loses([&](Transaction& t) { return Delete(t, *items, 2).status(); },
        [&] {
          ASSERT_OK(items->Update({2}, {{"name", "x"}}).status());
        });
  loses(
      [&](Transaction& t) {
        return Put(t, *items, {77, 1, "x", 1.0});
      },
      [&] {
        ASSERT_OK(items->Insert({77, 1, "y", 1.0}));
      });
  loses(
      [&](Transaction& t) {
        return Put(t, *items, {3, 1, "x", 1.0});
      },
      [&] { ASSERT_OK(items->Delete({3}).status()); });
  loses(
      [&](Transaction& t) {
        return Put(t, *items, {4, 1, "x", 1.0});
      },
      [&] {
        const auto reader = test::ReaderOf({ItemsBatch(0, 10)});
        ASSERT_OK(items->BulkLoad(reader.get(), {.mode = WriteMode::kUpsert}).status());
      });
  EXPECT_EQ(TextOf(items->Get({77})), "77|1|y|1");
  EXPECT_EQ(TextOf(items->Get({4})), "4|4|name 4|4");
  // A load of other keys is no conflict.
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {4, 1, "x", 1.0}));
  Load(items.get(), {ItemsBatch(500, 10)});
  ASSERT_OK(transaction->Commit());
}

TEST_F(TransactionTest, DisjointKeysBothCommitAndWriteSkewIsAllowed) {
  const auto items = CreateItems(5);
  const auto first = Begin(), second = Begin();
  // Each reads the other's row: snapshot isolation does not refuse that.
  EXPECT_EQ(Get(*first, *items, 2), "2|2|name 2|2");
  EXPECT_EQ(Get(*second, *items, 1), "1|1|name 1|1");
  ASSERT_OK(Set(*first, *items, 1, "a").status());
  ASSERT_OK(Set(*second, *items, 2, "b").status());
  ASSERT_OK(first->Commit());
  ASSERT_OK(second->Commit());
  EXPECT_EQ(TextOf(items->Get({1})), "1|1|a|1");
  EXPECT_EQ(TextOf(items->Get({2})), "2|2|b|2");
}

TEST_F(TransactionTest, SpansTables) {
  const auto items = CreateItems(2), other = Create(test::ItemsSpec("other"));
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {10, 1, "x", 1.0}));
  ASSERT_OK(Put(*transaction, *other, {10, 2, "y", 2.0}));
  EXPECT_EQ(Get(*transaction, *other, 10), "10|2|y|2");
  EXPECT_EQ(ReadTexts(transaction.get(), *other).ValueOrDie().size(), 1u);
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(TextOf(other->Get({10})), "10|2|y|2");
  EXPECT_EQ(TextOf(items->Get({10})), "10|1|x|1");
}

TEST_F(TransactionTest, RollbackAndDestructionUndoEverything) {
  const auto items = CreateItems(2);
  const Texts before = ReadTexts(*items).ValueOrDie();
  {
    const auto transaction = Begin();
    ASSERT_OK(Put(*transaction, *items, {10, 1, "x", 1.0}));
    ASSERT_OK(transaction->Rollback());
    EXPECT_FALSE(transaction->is_active());
    const auto left = Begin();
    ASSERT_OK(Delete(*left, *items, 1).status());
  }
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), before);
}

TEST_F(TransactionTest, NothingGoesAfterTheEnd) {
  const auto items = CreateItems(2);
  for (const bool commit : {true, false}) {
    const auto transaction = Begin();
    EXPECT_TRUE(transaction->is_active());
    EXPECT_FALSE(transaction->snapshot().is_null());
    ASSERT_OK(Put(*transaction, *items, {10, 1, "x", 1.0}));
    ASSERT_OK(commit ? transaction->Commit() : transaction->Rollback());
    const std::vector<Value> key = {1}, row = {1, 1, "x", 1.0};
    EXPECT_FALSE(transaction->is_active());
    EXPECT_TRUE(transaction->snapshot().is_null());
    EXPECT_ERROR_HAS(transaction->Get(*items, key), "over");
    EXPECT_ERROR_HAS(transaction->Scan(*items), "over");
    EXPECT_ERROR_HAS(transaction->Put(*items, row), "over");
    EXPECT_ERROR_HAS(transaction->Insert(*items, row), "over");
    EXPECT_ERROR_HAS(transaction->Update(*items, key, {}), "over");
    EXPECT_ERROR_HAS(transaction->Delete(*items, key), "over");
    EXPECT_ERROR_HAS(transaction->SoftDelete(*items, key), "over");
    EXPECT_ERROR_HAS(transaction->Purge(*items, key), "over");
    EXPECT_ERROR_HAS(transaction->Write(*items, *ItemsBatch(1, 1)), "over");
    EXPECT_ERROR_HAS(transaction->Commit(), "over");
    EXPECT_ERROR_HAS(transaction->Rollback(), "over");
  }
  // Also after a commit that failed.
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {1, 1, "x", 1.0}));
  ASSERT_OK(items->Put({1, 1, "y", 1.0}));
  EXPECT_TRUE(IsConflict(transaction->Commit()));
  EXPECT_ERROR_HAS(transaction->Commit(), "over");
}

TEST_F(TransactionTest, FailedCallLeavesTheTransactionAsItWas) {
  const auto items = CreateItems(5);
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {10, 1, "mine", 1.0}));
  const Texts before = ReadTexts(transaction.get(), *items).ValueOrDie();
  // 7, 8, 9, then 10 exists already.
  const auto status = transaction->Write(*items, *ItemsBatch(7, 10), WriteMode::kInsert);
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_ERROR_HAS(status, "key (10)");
  EXPECT_EQ(ReadTexts(transaction.get(), *items).ValueOrDie(), before);
  const std::vector<Value> row = {4, 1, "x", 1.0}, bad = {20, "no number", "x", 1.0};
  EXPECT_ERROR_HAS(transaction->Insert(*items, row), "key (4)");
  EXPECT_ERROR_HAS(transaction->Put(*items, bad), "column grp");
  EXPECT_EQ(ReadTexts(transaction.get(), *items).ValueOrDie(), before);
  // A table in which nothing could be written does not make the commit fail when it is dropped.
  const auto other = Create(test::ItemsSpec("other"));
  EXPECT_FALSE(transaction->Put(*other, bad).ok());
  ASSERT_OK(db_->DropTable("other"));
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(ReadTexts(*items).ValueOrDie(), before);
}

TEST_F(TransactionTest, InsertSeesOwnDeletesAndSoftDeletes) {
  const auto items = CreateItems(5);
  const auto transaction = Begin();
  const std::vector<Value> one = {1}, two = {2}, row1 = {1, 1, "x", 1.0}, row2 = {2, 2, "y", 2.0};
  ASSERT_OK(transaction->Delete(*items, one).status());
  ASSERT_OK(transaction->SoftDelete(*items, two).status());
  ASSERT_OK(transaction->Insert(*items, row1));
  ASSERT_OK(transaction->Insert(*items, row2));
  EXPECT_TRUE(transaction->Insert(*items, row2).IsAlreadyExists());
  ASSERT_OK(transaction->SoftDelete(*items, two).status());
  ASSERT_OK_AND_ASSIGN(bool purged, transaction->Purge(*items, two));
  EXPECT_TRUE(purged);
  ASSERT_OK_AND_ASSIGN(purged, transaction->Purge(*items, two));
  EXPECT_FALSE(purged);
  ASSERT_OK(transaction->Commit());
  ScanMetrics metrics;
  EXPECT_EQ(ReadTexts(*items, {}, &metrics).ValueOrDie(),
            (Texts{"0|0|name 0|null", "1|1|x|1", "3|3|name 3|null", "4|4|name 4|4"}));
  EXPECT_EQ(metrics.rows_visited, 4u);
}

TEST_F(TransactionTest, DroppedTableIsAConflict) {
  const auto items = CreateItems(5);
  const auto transaction = Begin();
  ASSERT_OK(Put(*transaction, *items, {10, 1, "x", 1.0}));
  ASSERT_OK(db_->DropTable("items"));
  EXPECT_EQ(ReadTexts(transaction.get(), *items).ValueOrDie().size(), 6u) << "its snapshot has the table";
  const auto status = transaction->Commit();
  EXPECT_TRUE(IsConflict(status)) << status.ToString();
  EXPECT_ERROR_HAS(status, "main.items");
  for (const auto& result :
       {items->Put({1, 1, "x", 1.0}), items->Insert({1, 1, "x", 1.0}), items->Write(*ItemsBatch(1, 1))}) {
    EXPECT_ERROR_HAS(result, "main.items was dropped");
  }
  const auto reader = test::ReaderOf({ItemsBatch(0, 10)});
  EXPECT_ERROR_HAS(items->BulkLoad(reader.get()), "main.items was dropped");
  // Nothing of it gets into a table of the same name.
  ASSERT_OK(db_->CreateTable(test::ItemsSpec()).status());
  EXPECT_EQ(ReadTexts(*OpenTable("items")).ValueOrDie(), Texts{});
}

TEST_F(TransactionTest, TableOfAnotherDatabaseIsRefused) {
  const auto items = CreateItems(5);
  ASSERT_OK_AND_ASSIGN(const auto other, Database::Open(dir_.File("other"), options_));
  const auto transaction = other->OpenSession().ValueOrDie()->Begin().ValueOrDie();
  EXPECT_ERROR_HAS(Put(*transaction, *items, {10, 1, "x", 1.0}), "another database");
}

TEST_F(TransactionTest, LargeTransactionsCommitAsOne) {
  StoreOptions options = options_;
  options.ingest_threshold_bytes = 1 << 20;
  Open(options);
  const auto items = CreateItems(1000);
  const auto transaction = Begin();
  for (int64_t first = 500; first < 100500; first += 20000) {
    ASSERT_OK(transaction->Write(*items, *ItemsBatch(first, 20000)));
  }
  for (int64_t i = 0; i < 1000; i += 2) ASSERT_OK(Delete(*transaction, *items, i).status());
  ASSERT_OK(Set(*transaction, *items, 70001, "last word").status());
  const auto loser = Begin();
  ASSERT_OK(Set(*loser, *items, 999, "late").status());
  EXPECT_EQ(ReadTexts(*items).ValueOrDie().size(), 1000u);
  ASSERT_OK(transaction->Commit());
  EXPECT_TRUE(IsConflict(loser->Commit()));
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*items));
  EXPECT_EQ(rows.size(), 100000u);
  EXPECT_EQ(TextOf(items->Get({70001})), "70001|1|last word|1");
  EXPECT_EQ(TextOf(items->Get({998})), "none");
}

TEST_F(TransactionTest, ConcurrentDropFailsWritersCleanly) {
  const auto was_dropped = [](const arrow::Status& status) {
    return status.IsKeyError() && status.message().find("was dropped") != std::string::npos;
  };
  for (int round = 0; round < 5; ++round) {
    auto items = CreateItems(2000);
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int64_t i = 0; refused < 3 && i < 100000; ++i) {
          arrow::Status status;
          if (t == 0) status = items->Put({i, t, "x", 1.0});
          if (t == 1) status = items->Write(*ItemsBatch(i * 10, 10));
          if (t == 2) {
            const auto transaction = Begin();
            status = Put(*transaction, *items, {100000 + i, t, "x", 1.0});
            if (status.ok()) status = transaction->Commit();
          }
          if (status.ok()) continue;
          EXPECT_TRUE(IsConflict(status) || was_dropped(status)) << status.ToString();
          ++refused;
          return;
        }
      });
    }
    threads.emplace_back([&] {
      ScanOptions options;
      options.threads = 2;
      while (refused < 3) {
        const auto status = ReadTexts(*items, options).status();
        EXPECT_TRUE(status.ok() || was_dropped(status)) << status.ToString();
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_OK(db_->DropTable("items"));
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(refused, 3);
    ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*db_->store(), "rows"));
    EXPECT_FALSE(db_->store()->Scan({.partition = rows}).Next()) << "a row got in after the drop";
  }
}

TEST_F(TransactionTest, ConcurrentTransfersKeepTheSum) {
  const auto items = Create(test::ItemsSpec());
  constexpr int kAccounts = 6;
  for (int i = 0; i < kAccounts; ++i) ASSERT_OK(items->Put({i, 100, "account", 0.0}));
  std::atomic<bool> stop{false};
  const auto balance = [&](Transaction& transaction, int64_t id) {
    const std::vector<Value> key = {id};
    return transaction.Get(*items, key).ValueOrDie()->Get("grp").ValueOrDie().get<int64_t>();
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      for (int done = 0; done < 100;) {
        const auto from = static_cast<int64_t>(random() % kAccounts), to = static_cast<int64_t>(random() % kAccounts);
        if (from == to) continue;
        const auto transaction = Begin();
        const std::vector<Value> a = {from}, b = {to};
        const std::pair<std::string, Value> less[] = {{"grp", balance(*transaction, from) - 1}};
        const std::pair<std::string, Value> more[] = {{"grp", balance(*transaction, to) + 1}};
        auto status = transaction->Update(*items, a, less).status();
        if (status.ok()) status = transaction->Update(*items, b, more).status();
        if (status.ok()) status = transaction->Commit();
        ASSERT_TRUE(status.ok() || IsConflict(status)) << status.ToString();
        done += status.ok();
      }
    });
  }
  std::thread reader([&] {
    ScanOptions options;
    while (!stop) {
      options.threads = options.threads == 1 ? 2 : 1;
      int64_t sum = 0;
      const auto scan = items->Scan(options).ValueOrDie();
      for (const auto& batch : test::ReadBatches(scan.get()).ValueOrDie()) {
        const auto column = std::static_pointer_cast<arrow::Int32Array>(batch->column(1));
        for (int64_t i = 0; i < column->length(); ++i) sum += column->Value(i);
      }
      EXPECT_EQ(sum, 100 * kAccounts) << "a scan saw half a transaction";
    }
  });
  for (auto& thread : threads) thread.join();
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace yarrow
