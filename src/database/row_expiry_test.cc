// Rows whose time is over, in every tier.
#include <utility>

#include "catalog/records.h"
#include "database/open_database.h"
#include "flush/row_expiry.h"
#include "table/table_impl.h"
#include "tiers_fixture.h"
#include "type/value_range.h"

namespace yarrow {
namespace {

using test::Texts;

constexpr int64_t kDay = 24LL * 60 * 60 * 1'000'000;

class RowExpiryTest : public test::TiersTest {
 protected:
  // events (id BIGINT, at <type>), key id; rows expire after 30 days.
  std::shared_ptr<Table> CreateEvents(ColumnType type, TableKind kind = TableKind::kShared) {
    auto spec =
        test::Spec("events", {test::Column("id", TypeId::kInt64), test::Column("at", std::move(type))}, {"id"}, kind);
    spec.policy = {.ttl_column = "AT", .ttl = 30 * kDay / 1'000'000};
    EXPECT_OK(db_->CreateTable(spec).status());
    return OpenTable("events");
  }
  static Texts Ids(const Table& table) { return test::ReadTexts(table, {.columns = {{"id"}}}).ValueOrDie(); }
};

TEST_F(RowExpiryTest, RowsGoFromBothTiersAndNullStays) {
  const auto events = CreateEvents(ColumnType::Timestamp(TimeUnit::kMicro));
  const int64_t now = NowMicros();
  for (int64_t id = 0; id < 100; ++id) ASSERT_OK(events->Put({id, now - id * kDay}));
  ASSERT_OK(events->Put({1000, Value()}));
  ASSERT_OK(events->Flush().status());
  for (int64_t id = 100; id < 110; ++id) ASSERT_OK(events->Put({id, now - 40 * kDay}));
  ASSERT_OK(events->Put({50, now}));  // an expired row in a segment becomes a young one
  ASSERT_OK(events->Put({3, now - 31 * kDay}));
  const Snapshot before = db_->GetSnapshot();
  const Texts all = test::ReadTexts(*events, {.snapshot = before}).ValueOrDie();
  ASSERT_OK_AND_ASSIGN(const int64_t expired, events->Expire());
  EXPECT_EQ(expired, 70 - 1 + 10 + 1);  // 30 to 99 without 50; 100 to 109; 3
  Texts kept;
  for (int64_t id = 0; id < 30; ++id) {
    if (id != 3) kept.push_back(std::to_string(id));
  }
  kept.insert(kept.end(), {"50", "1000"});
  EXPECT_EQ(Ids(*events), kept);
  EXPECT_EQ(test::ReadTexts(*events, {.snapshot = before}).ValueOrDie(), all);
  EXPECT_EQ(events->Expire().ValueOrDie(), 0);
  ASSERT_OK_AND_ASSIGN(const auto jobs,
                       test::ReadTexts(*OpenTable("system.jobs"), {.columns = {{"kind", "target", "state", "rows"}}}));
  EXPECT_EQ(jobs.back(), "expiry|main.events|completed|80") << "looking in vain is no job";
  ASSERT_OK(events->Compact().status());
  EXPECT_EQ(Ids(*events), kept);
}

TEST_F(RowExpiryTest, EachTypeOfTime) {
  const int64_t now = NowMicros();
  const int64_t last_kept = now - 30 * kDay + 60'000'000, first_due = now - 30 * kDay - 60'000'000;
  const std::pair<ColumnType, int64_t> units[] = {{ColumnType::Timestamp(TimeUnit::kSecond), 1'000'000},
                                                  {ColumnType::Timestamp(TimeUnit::kMilli, "UTC"), 1000},
                                                  {ColumnType::Timestamp(TimeUnit::kMicro), 1},
                                                  {TypeId::kDate32, kDay}};
  for (const auto& [type, unit] : units) {
    SCOPED_TRACE(type.ToString());
    const auto events = CreateEvents(type);
    const bool is_date = type.id == TypeId::kDate32;
    ASSERT_OK(events->Put({1, is_date ? now / kDay - 29 : last_kept / unit}));
    ASSERT_OK(events->Put({2, is_date ? now / kDay - 31 : first_due / unit}));
    ASSERT_OK(events->Put({3, int64_t{-5}}));  // before 1970
    EXPECT_EQ(events->Expire().ValueOrDie(), 2);
    EXPECT_EQ(Ids(*events), Texts{"1"});
    ASSERT_OK(db_->DropTable("events"));
  }
  const auto events = CreateEvents(ColumnType::Timestamp(TimeUnit::kNano));
  ASSERT_OK(events->Put({1, last_kept * 1000}));
  ASSERT_OK(events->Put({2, first_due * 1000}));
  EXPECT_EQ(events->Expire().ValueOrDie(), 1);
  auto policy = events->definition().policy;
  policy.ttl = 900LL * 366 * 24 * 60 * 60;  // before the first nanosecond
  ASSERT_OK(db_->AlterTable("events", SetTierPolicy{policy}).status());
  ASSERT_OK(OpenTable("events")->Put({3, TimestampsOf(TimeUnit::kNano).least}));
  EXPECT_EQ(events->Expire().ValueOrDie(), 0) << "goes by the present policy, however long the table was open";
}

TEST_F(RowExpiryTest, OfAllUsersAndTablesWithoutAKey) {
  const int64_t now = NowMicros();
  auto spec = test::Spec("log", {test::Column("at", ColumnType::Timestamp(TimeUnit::kMicro))}, {}, TableKind::kUser);
  spec.policy = {.ttl_column = "at", .ttl = 60};
  ASSERT_OK(db_->CreateTable(spec).status());
  for (const char* user : {"ada", "bob", "cy"}) {
    const auto session = SessionOf(user);
    const auto log = OpenTable("log", session.get());
    for (int i = 0; i < 5; ++i) ASSERT_OK(log->Put({now - 3600 * 1'000'000LL}));
    if (std::string_view(user) == "bob") ASSERT_OK(log->Flush({.min_user_rows = 1}).status());
    ASSERT_OK(log->Put({now + kDay}));
  }
  ASSERT_OK_AND_ASSIGN(const int64_t expired, OpenTable("log")->Expire());
  EXPECT_EQ(expired, 15);
  for (const char* user : {"ada", "bob", "cy"}) {
    const auto session = SessionOf(user);
    EXPECT_EQ(test::ReadTexts(*OpenTable("log", session.get())).ValueOrDie().size(), 1u) << user;
  }
}

TEST_F(RowExpiryTest, ARowThatIsWrittenMeanwhileIsJudgedAnew) {
  const auto events = CreateEvents(ColumnType::Timestamp(TimeUnit::kMicro));
  const int64_t now = NowMicros();
  for (int64_t id = 0; id < 10'000; ++id) ASSERT_OK(events->Put({id, now - 40 * kDay}));
  ASSERT_OK(events->Flush().status());
  // When the first rows have gone, some that come later become young, which the snapshot of the job does not see.
  const auto& database = ImplOf(*db_);
  const auto entry = database->catalog().Find(QualifiedName::Parse("events").ValueOrDie()).ValueOrDie();
  const auto table = TableImpl::Make(database, entry, {}).ValueOrDie();
  bool is_renewed = false;
  ASSERT_OK_AND_ASSIGN(const int64_t expired, ExpireRows(table, [&](int64_t rows) {
                         if (rows == 0 || std::exchange(is_renewed, true)) return arrow::Status::OK();
                         for (int64_t id = 9000; id < 9010; ++id) EXPECT_OK(events->Put({id, now}));
                         return arrow::Status::OK();
                       }));
  EXPECT_TRUE(is_renewed);
  EXPECT_EQ(expired, 9990);
  EXPECT_EQ(Ids(*events).size(), 10u);
}

TEST_F(RowExpiryTest, PoliciesThatCannotBe) {
  auto items = Create(test::ItemsSpec());
  EXPECT_ERROR_HAS(items->Expire().status(), "Table main.items: no row expires");
  const auto refused = [&](const TierPolicy& policy, const char* text) {
    EXPECT_ERROR_HAS(db_->AlterTable("items", SetTierPolicy{policy}).status(), text);
  };
  refused({.ttl_column = "price", .ttl = 5}, "column 'price', which is DOUBLE; ttl_column takes");
  refused({.ttl_column = "no", .ttl = 5}, "no column 'no'");
  refused({.ttl = 5}, "name the one that has the time of a row in ttl_column");
  refused({.flush_age = -1}, "flush_age is -1");
  auto events = CreateEvents(ColumnType::Timestamp(TimeUnit::kMicro));
  EXPECT_ERROR_HAS(db_->AlterTable("events", SetTierPolicy{{.ttl_column = "at"}}).status(), "ttl is 0; give 1 to");
  EXPECT_ERROR_HAS(db_->AlterTable("events", DropColumn{.name = "at"}).status(), "reset ttl_column and ttl first");
  ASSERT_OK(db_->AlterTable("events", RenameColumn{.name = "at", .new_name = "when"}).status());
  EXPECT_EQ(OpenTable("events")->definition().policy.ttl_column, "when");
  items.reset();
  events.reset();
  Reopen();
  EXPECT_EQ(OpenTable("events")->definition().policy, (TierPolicy{.ttl_column = "when", .ttl = 30 * kDay / 1'000'000}));
}

}  // namespace
}  // namespace yarrow
