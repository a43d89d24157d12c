#include "store/empty_ranges.h"

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "random_seed.h"
#include "store/store_commits.h"
#include "store/tombstone_count.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

using test::RandomSeed;

// What a scan gave, and how many tombstones it stepped over.
struct Seen {
  std::vector<std::string> keys;
  uint64_t tombstones = 0;
};

class EmptyRangesTest : public test::StoreFixture {
 protected:
  void PutAll(uint64_t from, uint64_t to) {
    WriteSet writes;
    for (uint64_t i = from; i < to; ++i) writes.Put(p_, Key(i), "v");
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  void DeleteAll(uint64_t from, uint64_t to) {
    WriteSet writes;
    for (uint64_t i = from; i < to; ++i) writes.Delete(p_, Key(i));
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  void DeleteRange(uint64_t from, uint64_t to) {
    WriteSet writes;
    writes.DeleteRange(p_, Key(from), Key(to));
    ASSERT_OK(store_->commits().Commit(writes).status());
  }
  Seen Scan(ScanSpec spec, size_t limit = 1'000'000) {
    spec.partition = p_;
    Seen seen;
    const TombstoneCount tombstones;
    ScanCursor cursor = store_->Scan(std::move(spec));
    while (seen.keys.size() < limit && cursor.Next()) seen.keys.emplace_back(cursor.key());
    EXPECT_OK(cursor.status());
    seen.tombstones = tombstones.value();
    return seen;
  }
  // As RocksDB's own iterator reads them.
  std::vector<std::string> Stored(const ScanSpec& spec) {
    const rocksdb::Slice lower = spec.lower, upper = spec.upper;
    rocksdb::ReadOptions read;
    read.snapshot = StoreImpl::RawSnapshot(spec.snapshot);
    if (!spec.lower.empty()) read.iterate_lower_bound = &lower;
    if (!spec.upper.empty()) read.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(store_->impl()->db->NewIterator(read, StoreImpl::Handle(p_)));
    std::vector<std::string> keys;
    for (spec.reverse ? it->SeekToLast() : it->SeekToFirst(); it->Valid(); spec.reverse ? it->Prev() : it->Next()) {
      keys.push_back(it->key().ToString());
    }
    return keys;
  }
  EmptyRanges& ranges() { return store_->impl()->empty_ranges; }
};

TEST_F(EmptyRangesTest, TheFrontOfAQueueIsSteppedOverOnce) {
  PutAll(0, 20'000);
  DeleteAll(0, 19'000);
  const Seen first = Scan({}, 1);
  EXPECT_EQ(first.keys, std::vector{Key(19'000)});
  EXPECT_GE(first.tombstones, 19'000u);
  const Seen second = Scan({.lower = Key(0)}, 1);
  EXPECT_EQ(second.keys, first.keys);
  EXPECT_LE(second.tombstones, 400u) << "its range begins at another key than that of the first";
  EXPECT_EQ(Scan({.lower = Key(0)}, 1).tombstones, 0u);
}

TEST_F(EmptyRangesTest, AQueueThatIsTakenFromOneByOneIsNeverSteppedOver) {
  PutAll(0, 200);
  uint64_t most = 0;
  for (uint64_t i = 0; i < 5'000; ++i) {
    const Seen seen = Scan({.lower = Key(0), .upper = Key(90'000'000)}, 1);
    ASSERT_EQ(seen.keys, std::vector{Key(i)});
    most = std::max(most, seen.tombstones);
    ASSERT_OK(store_->commits().CommitDelete(p_, Key(i)).status());
    Put(Key(i + 200), "v");
  }
  EXPECT_LE(most, 100u);
}

TEST_F(EmptyRangesTest, RunsBetweenRowsArePassedBothWays) {
  PutAll(0, 9'000);
  DeleteAll(10, 4'000);
  DeleteAll(4'001, 8'000);
  for (const bool reverse : {false, true}) {
    const ScanSpec spec{.lower = Key(5), .upper = Key(8'700), .reverse = reverse};
    const Seen first = Scan(spec);
    EXPECT_EQ(first.keys, Stored(spec));
    const Seen second = Scan(spec);
    EXPECT_EQ(second.keys, first.keys);
    EXPECT_LE(second.tombstones, 600u) << "a run is noticed after 256 steps";
  }
}

TEST_F(EmptyRangesTest, ALongWayFromTheAnchorIsFoundAgain) {
  PutAll(0, 5'000);
  DeleteAll(700, 4'000);
  for (const bool reverse : {false, true}) EXPECT_EQ(Scan({.reverse = reverse}).keys, Stored({.reverse = reverse}));
}

TEST_F(EmptyRangesTest, WhatIsPutIntoAnEmptyRangeIsSeen) {
  PutAll(0, 10'000);
  DeleteAll(0, 9'000);
  (void)Scan({.lower = Key(0)}, 1);
  ASSERT_TRUE(ranges().any());
  const Snapshot before = store_->GetSnapshot();
  Put(Key(5'000), "v");
  EXPECT_EQ(Scan({.lower = Key(0)}, 1).keys, std::vector{Key(5'000)});
  EXPECT_EQ(Scan({.lower = Key(0), .snapshot = before}, 1).keys, std::vector{Key(9'000)});
  EXPECT_EQ(Scan({.upper = Key(9'001), .reverse = true}, 2).keys, (std::vector{Key(9'000), Key(5'000)}));
  EXPECT_EQ(Scan({.lower = Key(5'001)}, 1).tombstones, 0u) << "the rest is known still";
}

TEST_F(EmptyRangesTest, AnOlderSnapshotSeesWhatWasThere) {
  PutAll(0, 3'000);
  const Snapshot before = store_->GetSnapshot();
  DeleteAll(0, 2'900);
  EXPECT_EQ(Scan({.lower = Key(0)}).keys.size(), 100u);
  EXPECT_EQ(Scan({.lower = Key(0), .snapshot = before}).keys.size(), 3'000u);
  EXPECT_EQ(Scan({.upper = Key(9'000), .reverse = true, .snapshot = before}).keys.size(), 3'000u);
}

TEST_F(EmptyRangesTest, DeletedRangesAreKnown) {
  PutAll(0, 1'000);
  DeleteRange(100, 900);
  std::string key = Key(100);
  EXPECT_TRUE(ranges().SkipForward(p_.id(), store_->LatestSequence(), &key));
  EXPECT_EQ(key, Key(900));
  EXPECT_TRUE(ranges().SkipBackward(p_.id(), store_->LatestSequence(), &key));
  EXPECT_EQ(key, Key(100));
  WriteSet writes;
  writes.DeleteRange(p_, Key(200), Key(950));
  writes.Put(p_, Key(300), "kept");
  ASSERT_OK(store_->commits().Commit(writes).status());
  EXPECT_EQ(Scan({.lower = Key(100), .upper = Key(960)}).keys, Stored({.lower = Key(100), .upper = Key(960)}));
  key = Key(250);
  EXPECT_TRUE(ranges().SkipForward(p_.id(), store_->LatestSequence(), &key));
  EXPECT_EQ(key, Key(300));
  EXPECT_FALSE(ranges().SkipForward(p_.id(), store_->LatestSequence(), &key));
}

// A commit that was announced before the search began and is written after it.
TEST_F(EmptyRangesTest, CommitsInFlightAreHeardOf) {
  const std::string put = Key(500);
  WriteOp op{.key_data = put.data(), .key_size = static_cast<uint32_t>(put.size()), .partition_id = p_.id()};
  const uint64_t hash = 1;
  CommitRequest request({&op, 1}, {&hash, 1}, {}, {});
  ASSERT_OK_AND_ASSIGN(Admission admission, store_->impl()->commits.Admit(&request));
  for (const bool reverse : {false, true}) {
    EmptyRanges::Search search(&ranges(), p_.id(), Key(0), Key(1'000), reverse);
    search.Add(Key(0), Key(1'000), store_->LatestSequence(), 1'000);
    std::string key = reverse ? Key(1'000) : Key(0);
    EXPECT_TRUE(reverse ? ranges().SkipBackward(p_.id(), ~0ull, &key) : ranges().SkipForward(p_.id(), ~0ull, &key));
    EXPECT_EQ(key, reverse ? put + '\0' : put);
  }
  admission.Resolve({});
}

TEST_F(EmptyRangesTest, KeysThatComeOneAfterTheOtherLeaveNoRangesBehind) {
  {
    EmptyRanges::Search search(&ranges(), p_.id(), Key(0), Key(1'000'000), false);
    search.Add(Key(0), Key(1'000'000), store_->LatestSequence(), 100'000);
  }
  for (uint64_t i = 1'000; i < 3'000; ++i) Put(Key(i), "v");
  std::string key = Key(0);
  EXPECT_TRUE(ranges().SkipForward(p_.id(), store_->LatestSequence(), &key));
  EXPECT_EQ(key, Key(1'000));
  key = Key(2'999) + '\0';
  EXPECT_FALSE(ranges().SkipForward(p_.id(), store_->LatestSequence(), &key));
}

TEST_F(EmptyRangesTest, MemoryIsBounded) {
  const std::string tail(1'000, 'x');
  for (uint64_t i = 0; i < 20'000; ++i) {
    EmptyRanges::Search search(&ranges(), p_.id(), Key(i), Key(i + 1), false);
    search.Add(Key(i) + tail, Key(i) + tail + "y", 1, 1'000);
  }
  EXPECT_LE(ranges().bytes(), EmptyRanges::kMostBytes);
  std::string key = Key(19'999) + tail;
  EXPECT_TRUE(ranges().SkipForward(p_.id(), 1, &key)) << "the last that was found is kept";
}

TEST_F(EmptyRangesTest, ScansWithoutBoundsPassToo) {
  PutAll(0, 20'000);
  DeleteAll(0, 9'000);
  DeleteAll(11'000, 20'000);
  for (const bool reverse : {false, true}) {
    const Seen first = Scan({.reverse = reverse}, 1);
    EXPECT_GE(first.tombstones, 9'000u);
    const Seen second = Scan({.reverse = reverse}, 1);
    EXPECT_EQ(second.tombstones, 0u);
    EXPECT_EQ(second.keys, first.keys);
    EXPECT_EQ(second.keys, std::vector{Key(reverse ? 10'999 : 9'000)});
  }
  EXPECT_LE(Scan({.lower = Key(10'000)}).tombstones, 256u) << "no key behind";
  Put("", "v");
  Put(std::string(40, '\xff'), "v");
  EXPECT_EQ(Scan({}, 1).keys, std::vector<std::string>{""});
  EXPECT_EQ(Scan({.reverse = true}, 1).keys, std::vector{std::string(40, '\xff')});
}

TEST_F(EmptyRangesTest, ACommitOfManyKeysCostsNoMoreThanItsKeys) {
  for (uint64_t i = 0; i < 100; ++i) {
    EmptyRanges::Search search(&ranges(), p_.id(), Key(i * 1'000), Key(i * 1'000 + 999), false);
    search.Add(Key(i * 1'000), Key(i * 1'000 + 999), 1, 1'000'000);
  }
  std::mt19937_64 random(1);
  WriteSet writes;
  for (int i = 0; i < 5'000; ++i) writes.Put(p_, Key(2'000 + random() % 50'000), "v");
  ASSERT_OK(store_->commits().Commit(writes).status());
  std::string key = Key(30'001);
  EXPECT_FALSE(ranges().SkipForward(p_.id(), ~0ull, &key)) << "forgotten from the first to the last of them";
  for (const uint64_t kept : {1'001, 60'001}) {
    key = Key(kept);
    EXPECT_TRUE(ranges().SkipForward(p_.id(), ~0ull, &key)) << kept;
  }
  EXPECT_LE(ranges().bytes(), 100'000u);
}

TEST_F(EmptyRangesTest, ManyTombstonesInTheLogAreWrittenOutAtOpen) {
  const auto in_memory = [&] {
    uint64_t tombstones = 0;
    store_->impl()->db->GetIntProperty(StoreImpl::Handle(p_), rocksdb::DB::Properties::kNumDeletesActiveMemTable,
                                       &tombstones);
    return tombstones;
  };
  DeleteAll(0, 9'000);
  Open({.durability = Durability::kOs});
  EXPECT_EQ(in_memory(), 9'000u) << "few stay in the log";
  DeleteAll(9'000, 12'000);
  Open({.durability = Durability::kOs});
  EXPECT_EQ(in_memory(), 0u);
}

// Random writes of all kinds; each scan gives what RocksDB's own iterator does.
TEST_F(EmptyRangesTest, ScansOfAnyStateAreRight) {
  const uint64_t seed = RandomSeed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  Open({.durability = Durability::kOs, .ingest_threshold_bytes = 20'000});
  const auto below = [&](uint64_t end) { return random() % end; };
  std::vector<Snapshot> snapshots(6);
  for (int round = 0; round < 300; ++round) {
    const uint64_t from = below(4'000), to = from + below(1'500);
    switch (below(6)) {
      case 0:
        PutAll(from, to);
        break;
      case 1:
        DeleteAll(from, to);
        break;
      case 2:
        DeleteRange(from, to);
        break;
      case 3:
        for (int i = 0; i < 20; ++i) Put(Key(below(5'500)), "v");
        break;
      case 4:
        if (below(10) == 0) ASSERT_OK(store_->FlushMemtables());
        break;
      case 5: {
        WriteSet writes;
        writes.DeleteRange(p_, Key(from), Key(to));
        for (int i = 0; i < 5; ++i) writes.Put(p_, Key(from + below(1'500)), "back");
        ASSERT_OK(store_->commits().Commit(writes).status());
      }
    }
    Snapshot& snapshot = snapshots[below(snapshots.size())];
    if (below(3) == 0 || snapshot.is_null()) snapshot = store_->GetSnapshot();
    const uint64_t lower = below(5'500);
    ScanSpec spec{.lower = below(4) == 0 ? "" : Key(lower),
                  .upper = below(4) == 0 ? "" : Key(lower + below(3'000)),
                  .reverse = below(2) == 0,
                  .snapshot = below(2) == 0 ? snapshot : store_->GetSnapshot()};
    const std::vector<std::string> got = Scan(spec).keys, stored = Stored(spec);
    const auto [a, b] = std::ranges::mismatch(got, stored);
    ASSERT_TRUE(a == got.end() && b == stored.end())
        << "round " << round << (spec.reverse ? ", backwards" : "") << " in [" << spec.lower << ", " << spec.upper
        << ") at " << spec.snapshot.sequence() << " of " << store_->LatestSequence() << ": entry " << a - got.begin()
        << " is " << (a == got.end() ? "missing" : *a) << ", stored is " << (b == stored.end() ? "none" : *b);
  }
  EXPECT_TRUE(ranges().any());
}

// Takers and putters at both ends of a queue and in the middle, beside readers.
TEST_F(EmptyRangesTest, ConcurrentReadersSeeEachKeyOfTheirSnapshot) {
  PutAll(0, 2'000);
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (uint64_t number = 0; number < 3; ++number) {
    threads.emplace_back([&, number] {
      std::mt19937_64 random(number);
      uint64_t head = number, tail = 2'000 + number;
      for (int i = 0; i < 6'000; ++i) {
        if (random() % 8 == 0) {
          Put(Key(random() % 3'000), "v");
        } else if (head < tail) {
          ASSERT_OK(store_->commits().CommitDelete(p_, Key(head)).status());
          head += 3;
          if (random() % 3 == 0) Put(Key(tail += 3), "v");
        }
      }
    });
  }
  for (uint64_t number = 0; number < 2; ++number) {
    threads.emplace_back([&, number] {
      while (!done) {
        const ScanSpec spec{
            .lower = Key(0), .upper = Key(9'000), .reverse = number == 1, .snapshot = store_->GetSnapshot()};
        ASSERT_EQ(Scan(spec).keys, Stored(spec));
      }
    });
  }
  for (size_t i = 0; i < 3; ++i) threads[i].join();
  done = true;
  for (size_t i = 3; i < threads.size(); ++i) threads[i].join();
}

}  // namespace
}  // namespace yarrow
