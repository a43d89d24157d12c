// EntityStore and ScanIterator: typed entities, lazily, as C++20 ranges.
#include "yarrow/entity_store.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>

#include <algorithm>
#include <limits>
#include <ranges>

#include "store/store_commits.h"
#include "store_fixture.h"

namespace yarrow {
namespace {

struct User {
  std::string name;
  int32_t age = 0;
  friend bool operator==(const User&, const User&) = default;
};

// A codec as a program would write it; counts how often it decodes.
struct UserCodec {
  static inline int decoded = 0;
  static void Encode(const User& user, std::string* out) {
    DefaultKeyCodec<int32_t>::Encode(user.age, out);
    out->append(user.name);
  }
  static arrow::Result<User> Decode(std::string_view bytes) {
    ++decoded;
    if (bytes.size() < 4) return arrow::Status::Invalid("a user needs 4 bytes, found ", bytes.size());
    ARROW_ASSIGN_OR_RAISE(int32_t age, DefaultKeyCodec<int32_t>::Decode(bytes.substr(0, 4)));
    return User{std::string(bytes.substr(4)), age};
  }
};

using Users = EntityStore<int64_t, User, DefaultKeyCodec<int64_t>, UserCodec>;
using Names = EntityStore<std::string, std::string>;

static_assert(std::ranges::input_range<Users::Iterator>);
static_assert(std::ranges::view<Users::Iterator>);
static_assert(Codec<UserCodec, User>);
static_assert(!Codec<UserCodec, std::string>);

class EntityTest : public test::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    ASSERT_OK_AND_ASSIGN(auto users, Users::Open(store_, "users"));
    users_.emplace(std::move(users));
    ASSERT_OK_AND_ASSIGN(auto names, Names::Open(store_, "names"));
    names_.emplace(std::move(names));
  }
  void Fill(int64_t count) {
    WriteBatch writes;
    for (int64_t id = 0; id < count; ++id) {
      users_->Put(&writes, id, {"user" + std::to_string(id), static_cast<int32_t>(id % 100)});
    }
    ASSERT_OK(store_->Write(writes));
  }
  template <class Range>
  std::vector<int64_t> Ids(Range&& range) {
    std::vector<int64_t> ids;
    for (const auto& entry : range) {
      auto id = entry.key();
      EXPECT_OK(id.status());
      if (id.ok()) ids.push_back(*id);
    }
    return ids;
  }

  std::optional<Users> users_;
  std::optional<Names> names_;
};

TEST_F(EntityTest, PutGetDelete) {
  ASSERT_OK(users_->Put(7, {"Ada", 36}));
  ASSERT_OK_AND_ASSIGN(auto user, users_->Get(7));
  EXPECT_EQ(user, (User{"Ada", 36}));
  const Snapshot before = store_->GetSnapshot();
  ASSERT_OK(users_->Delete(7));
  ASSERT_OK_AND_ASSIGN(user, users_->Get(7));
  EXPECT_FALSE(user.has_value());
  ASSERT_OK_AND_ASSIGN(user, users_->Get(7, before));
  EXPECT_TRUE(user.has_value());
}

TEST_F(EntityTest, OneBatchOverSeveralStores) {
  WriteBatch writes;
  users_->Put(&writes, 1, {"Ada", 36});
  names_->Put(&writes, "Ada", "1");
  names_->Delete(&writes, "Bob");
  ASSERT_OK_AND_ASSIGN(auto user, users_->Get(1));
  EXPECT_FALSE(user.has_value());
  ASSERT_OK(store_->Write(writes));
  ASSERT_OK_AND_ASSIGN(user, users_->Get(1));
  EXPECT_TRUE(user.has_value());
  ASSERT_OK_AND_ASSIGN(auto id, names_->Get("Ada"));
  EXPECT_EQ(id, "1");
}

TEST_F(EntityTest, ScansInOrderReversedByRangeAndOnSnapshots) {
  for (int64_t id : {3, -5, 0, 1000, -1000, 2}) ASSERT_OK(users_->Put(id, {"u", 1}));
  const Snapshot snapshot = store_->GetSnapshot();
  ASSERT_OK(users_->Put(1, {"late", 1}));
  EXPECT_EQ(Ids(users_->ScanIter()), (std::vector<int64_t>{-1000, -5, 0, 1, 2, 3, 1000}));
  EXPECT_EQ(Ids(users_->ScanIter({.snapshot = snapshot})), (std::vector<int64_t>{-1000, -5, 0, 2, 3, 1000}));
  EXPECT_EQ(Ids(users_->ScanIter({.snapshot = snapshot, .reverse = true})),
            (std::vector<int64_t>{1000, 3, 2, 0, -5, -1000}));
  EXPECT_EQ(Ids(users_->ScanRangeIter(-5, 3)), (std::vector<int64_t>{-5, 0, 1, 2}));
  EXPECT_EQ(Ids(users_->ScanRangeIter(-5, 3, {.reverse = true})), (std::vector<int64_t>{2, 1, 0, -5}));
  EXPECT_TRUE(Ids(users_->ScanRangeIter(3, -5)).empty());
}

TEST_F(EntityTest, ScansByPrefix) {
  for (const char* name : {"an", "ann", "anna", "ao", "b", "\xff", "\xff\xff", "\xff\xffz"}) {
    ASSERT_OK(names_->Put(name, "x"));
  }
  const auto count = [&](std::string_view prefix, bool reverse) {
    size_t entries = 0;
    for (const auto& entry : names_->ScanPrefixIter(prefix, {.snapshot = {}, .reverse = reverse})) {
      EXPECT_TRUE(entry.key_bytes().starts_with(prefix));
      ++entries;
    }
    return entries;
  };
  for (const bool reverse : {false, true}) {
    EXPECT_EQ(count("ann", reverse), 2u);
    EXPECT_EQ(count("a", reverse), 4u);
    EXPECT_EQ(count("\xff", reverse), 3u);
    EXPECT_EQ(count("\xff\xff", reverse), 2u);
    EXPECT_EQ(count("c", reverse), 0u);
    EXPECT_EQ(count("", reverse), 8u);
  }
  EXPECT_EQ(std::ranges::distance(names_->ScanRangeIter("", "")), 0);  // nothing lies below the empty key
}

TEST_F(EntityTest, ViewsComposeAndReadOnlyWhatIsTaken) {
  Fill(1000);
  ASSERT_OK(store_->FlushMemtables());
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::PerfContext* perf = rocksdb::get_perf_context();
  const size_t entry_bytes = 8 + 4 + 5;  // of users 0 to 9
  {
    auto scan = users_->ScanIter();
    perf->Reset();
    auto first = std::ranges::subrange(scan.begin(), scan.end()) | std::views::take(10);
    EXPECT_EQ(scan.rows_visited(), 0u);
    EXPECT_EQ(Ids(first).size(), 10u);
    EXPECT_EQ(scan.rows_visited(), 10u);
    EXPECT_EQ(scan.bytes_visited(), 10 * entry_bytes);
  }
  EXPECT_EQ(perf->internal_key_skipped_count, 9u);  // steps from one entry to the next

  const auto adult = [](const auto& entry) { return entry.value()->age >= 18; };
  EXPECT_EQ(Ids(users_->ScanIter() | std::views::filter(adult) | std::views::take(3)),
            (std::vector<int64_t>{18, 19, 20}));
  EXPECT_EQ(Ids(users_->ScanIter() | std::views::drop(998)), (std::vector<int64_t>{998, 999}));
  auto names = users_->ScanIter() | std::views::transform([](const auto& entry) { return entry.value()->name; });
  EXPECT_EQ(*names.begin(), "user0");
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

TEST_F(EntityTest, UndecodableEntriesAreErrorsThatNameTheirKey) {
  ASSERT_OK(users_->Put(1, {"fine", 1}));
  std::string key;
  DefaultKeyCodec<int64_t>::Encode(2, &key);
  ASSERT_OK(store_->Put(users_->partition(), key, "?"));
  ASSERT_OK(store_->Put(users_->partition(), "short", "xxxx"));
  int entries = 0;
  int errors = 0;
  for (const auto& entry : users_->ScanIter()) {
    ++entries;
    EXPECT_OK(entry.status());
    if (entry.value_bytes() == "?") {
      EXPECT_ERROR_HAS(entry.value(), "cannot decode the value of the entry 0x8000000000000002 in partition 'users'");
      EXPECT_ERROR_HAS(entry.value(), "a user needs 4 bytes, found 1");
      EXPECT_OK(entry.key().status());
      ++errors;
    }
    if (entry.key_bytes() == "short") {
      EXPECT_ERROR_HAS(entry.key(), "cannot decode the key of the entry \"short\" in partition 'users'");
      ++errors;
    }
  }
  EXPECT_EQ(entries, 3);  // none is skipped
  EXPECT_EQ(errors, 2);
  EXPECT_ERROR_HAS(users_->Get(2), "in partition 'users'");
}

TEST_F(EntityTest, DecodesOnlyWhenAsked) {
  Fill(100);
  UserCodec::decoded = 0;
  size_t bytes = 0;
  for (const auto& entry : users_->ScanIter()) bytes += entry.value_bytes().size();
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(UserCodec::decoded, 0);
}

TEST_F(EntityTest, ScanAllIsTheDeprecatedBaseline) {
  Fill(10);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  ASSERT_OK_AND_ASSIGN(auto all, users_->ScanAll());
#pragma GCC diagnostic pop
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(all[3].first, 3);
  EXPECT_EQ(all[3].second.name, "user3");
}

TEST_F(EntityTest, AFailingScanYieldsItsErrorAsLastEntry) {
  Fill(20000);
  ASSERT_OK(store_->FlushMemtables());
  users_.reset();
  names_.reset();
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(dir_.File("db") / "hot")) {
    if (entry.path().extension() != ".sst") continue;
    std::FILE* file = std::fopen(entry.path().c_str(), "r+b");
    std::fseek(file, static_cast<long>(std::filesystem::file_size(entry.path()) / 2), SEEK_SET);
    std::fputs("damage", file);
    std::fclose(file);
  }
  Open({.durability = Durability::kOs});
  ASSERT_OK_AND_ASSIGN(auto users, Users::Open(store_, "users"));
  auto scan = users.ScanIter();
  int fine = 0;
  int failed = 0;
  for (const auto& entry : scan) {
    EXPECT_EQ(failed, 0);  // nothing follows the error
    if (entry.status().ok()) {
      ++fine;
      EXPECT_OK(entry.value().status());
    } else {
      ++failed;
      EXPECT_ERROR_HAS(entry.key(), "cannot read partition 'users'");
      EXPECT_ERROR_HAS(entry.value(), "cannot read partition 'users'");
    }
  }
  EXPECT_EQ(failed, 1);
  EXPECT_GT(fine, 0);
  EXPECT_LT(fine, 20000);
  EXPECT_FALSE(scan.status().ok());
}

template <class T>
void ExpectOrderKept(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  std::string previous;
  for (size_t i = 0; i < values.size(); ++i) {
    std::string bytes;
    DefaultKeyCodec<T>::Encode(values[i], &bytes);
    EXPECT_TRUE(i == 0 || previous < bytes) << values[i];
    ASSERT_OK_AND_ASSIGN(T decoded, DefaultKeyCodec<T>::Decode(bytes));
    EXPECT_EQ(decoded, values[i]);
    EXPECT_FALSE(DefaultKeyCodec<T>::Decode(bytes + "x").ok());
    EXPECT_FALSE(DefaultKeyCodec<T>::Decode(bytes.substr(1)).ok());
    previous = bytes;
  }
}

template <class T>
void ExpectIntegerOrderKept() {
  using Limits = std::numeric_limits<T>;
  ExpectOrderKept<T>({Limits::min(), static_cast<T>(Limits::min() + 1), T(3), T(42), T(100),
                      static_cast<T>(Limits::max() - 1), Limits::max()});
}

TEST(Codecs, KeepsTheOrderOfIntegers) {
  ExpectIntegerOrderKept<int8_t>();
  ExpectIntegerOrderKept<uint8_t>();
  ExpectIntegerOrderKept<int16_t>();
  ExpectIntegerOrderKept<uint16_t>();
  ExpectIntegerOrderKept<int32_t>();
  ExpectIntegerOrderKept<uint32_t>();
  ExpectIntegerOrderKept<int64_t>();
  ExpectIntegerOrderKept<uint64_t>();
  ExpectOrderKept<int64_t>({-1, 0, 1, -256, 255, 256});
}

TEST(Codecs, PrefixEndAndFormat) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_EQ(FormatKey("abc"), "\"abc\"");
  EXPECT_EQ(FormatKey(std::string_view("a\0", 2)), "0x6100");
  EXPECT_EQ(FormatKey(std::string(100, 'x')), '"' + std::string(64, 'x') + "\"...");
}

}  // namespace
}  // namespace yarrow
