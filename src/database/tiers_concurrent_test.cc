// Writers, readers, loads, flushes and compactions at the same time: money is moved between accounts, and every reader
// finds all of it.
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "database_fixture.h"
#include "random_seed.h"

namespace yarrow {
namespace {

using test::List;

class TiersConcurrentTest : public test::DatabaseTest {
 protected:
  static constexpr int64_t kAccounts = 1000;
  static constexpr int64_t kEach = 100;
  static constexpr int64_t kLoaded = 40;  // rows of a load, whose amounts add up to nothing

  static std::vector<Value> Account(int64_t id, int64_t amount) { return {id, amount}; }

  // Moves money in a transaction, now and then by deleting the row and inserting it anew. False: lost to another.
  static bool Transfer(Session& session, Table& accounts, std::mt19937_64& random) {
    const auto transaction = session.Begin().ValueOrDie();
    // The higher an account, the fewer come to it: some rows stay cold.
    const auto any = [&] { return static_cast<int64_t>(random() % (1 + random() % kAccounts)); };
    const auto from = any(), to = any();
    if (from == to) return false;
    const auto amount = [&](int64_t id) {
      return transaction->Get(accounts, {{Value(id)}}).ValueOrDie()->Get("amount").ValueOrDie().get<int64_t>();
    };
    const auto set = [&](int64_t id, int64_t value) {
      if (random() % 4 == 0) {
        EXPECT_TRUE(transaction->Delete(accounts, {{Value(id)}}).ValueOrDie());
        EXPECT_OK(transaction->Insert(accounts, List(Account(id, value))));
      } else if (random() % 3 == 0) {
        EXPECT_OK(transaction->Put(accounts, List(Account(id, value))));
      } else {
        EXPECT_TRUE(transaction->Update(accounts, {{Value(id)}}, {{{"amount", Value(value)}}}).ValueOrDie());
      }
    };
    const int64_t much = static_cast<int64_t>(random() % 20);
    set(from, amount(from) - much);
    set(to, amount(to) + much);
    const arrow::Status status = transaction->Commit();
    if (!IsConflict(status)) EXPECT_OK(status);
    return status.ok();
  }

  static void CheckSum(const Table& accounts, int threads) {
    const auto scan = accounts.Scan({.columns = {{"amount"}}, .threads = threads}).ValueOrDie();
    int64_t rows = 0, sum = 0;
    for (const auto& batch : test::ReadBatches(scan.get()).ValueOrDie()) {
      const auto& amounts = static_cast<const arrow::Int64Array&>(*batch->column(0));
      for (int64_t i = 0; i < amounts.length(); ++i) sum += amounts.Value(i);
      rows += amounts.length();
    }
    ASSERT_EQ((rows - kAccounts) % kLoaded, 0);
    ASSERT_EQ(sum, kAccounts * kEach);
  }

  // Writes a segment, between others' keys.
  static void LoadAccounts(Table& accounts, int64_t load) {
    test::Rows rows;
    for (int64_t i = 0; i < kLoaded; ++i) {
      rows.push_back(Account(kAccounts + load + i * 100'000, i % 2 == 0 ? i : -(i - 1)));
    }
    const auto batch = test::BatchOf(accounts.schema(), rows).ValueOrDie();
    ASSERT_OK(accounts.BulkLoad(test::ReaderOf({batch}).get()).status());
  }
};

TEST_F(TiersConcurrentTest, ConcurrentTransfersReadersFlushesAndCompactionsLoseNothing) {
  const auto accounts = Create(
      test::Spec("accounts", {test::Column("id", TypeId::kInt64), test::Column("amount", TypeId::kInt64)}, {"id"}));
  for (int64_t id = 0; id < kAccounts; ++id) ASSERT_OK(accounts->Insert(List(Account(id, kEach))));
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  ASSERT_OK(db_->SetSetting("rows_to_segment", std::to_string(kLoaded)));
  std::atomic<int> transfers{0};
  const int rounds = test::Rounds(15);
  int flushes = 0, compactions = 0;
  std::atomic<bool> stop{false};
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      std::mt19937_64 random(seed + writer);
      const auto session = db_->OpenSession().ValueOrDie();
      const auto own = session->OpenTable("accounts").ValueOrDie();
      while (!stop && !HasFailure()) transfers += Transfer(*session, *own, random);
    });
  }
  threads.emplace_back([&] {
    for (int64_t load = 0; !stop && !HasFailure(); ++load) {
      LoadAccounts(*accounts, load);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  for (int reader = 1; reader <= 2; ++reader) {
    threads.emplace_back([&, reader] {
      while (!stop && !HasFailure()) CheckSum(*accounts, reader);
    });
  }
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    ASSERT_OK_AND_ASSIGN(const auto flushed, accounts->Flush({.max_segment_rows = 20 + round * 37 % 400}));
    flushes += flushed.files > 0;
    ASSERT_OK_AND_ASSIGN(const auto compacted, accounts->Compact({.full = round % 3 == 0, .max_segment_rows = 250}));
    compactions += compacted.rows > 0;
    const int before = transfers;
    while (transfers < before + 20 && !HasFailure()) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CheckSum(*accounts, 1);
  EXPECT_GT(flushes, rounds / 3);
  EXPECT_GT(compactions, rounds / 5);
}

}  // namespace
}  // namespace yarrow
