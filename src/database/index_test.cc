// Indexes by the API: every way of writing rows keeps their entries, in both tiers; CheckDatabase proves it.
#include <gtest/gtest.h>

#include "database/check.h"
#include "database/open_database.h"
#include "database_fixture.h"
#include "yarrow/transaction.h"

namespace yarrow {
namespace {

using test::Column;
using test::Field;
using test::List;
using test::Lit;
using test::ReadTexts;
using test::Texts;

TableSpec PeopleSpec(TableKind kind = TableKind::kShared) {
  TableSpec spec = test::Spec("people",
                              {Column("id", TypeId::kInt64), Column("email", TypeId::kUtf8),
                               Column("city", TypeId::kUtf8), Column("age", TypeId::kInt32)},
                              {"id"}, kind);
  spec.indexes = {{.name = "", .columns = {"email"}, .unique = true}, {.name = "by_city", .columns = {"city", "age"}}};
  return spec;
}

class IndexTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    table_ = Create(PeopleSpec());
    ASSERT_OK(Put(1, "a", "Rome", 30));
    ASSERT_OK(Put(2, "b", "Oslo", 40));
    ASSERT_OK(Put(3, Value::Null(), "Rome", Value::Null()));
  }
  void TearDown() override { table_.reset(); }

  arrow::Status Put(int64_t id, Value email, Value city, Value age) {
    const std::vector<Value> row = {Value(id), std::move(email), std::move(city), std::move(age)};
    return table_->Put(List(row));
  }
  arrow::Status Insert(int64_t id, Value email, Value city, Value age) {
    const std::vector<Value> row = {Value(id), std::move(email), std::move(city), std::move(age)};
    return table_->Insert(List(row));
  }
  arrow::Result<bool> Update(int64_t id, std::vector<std::pair<std::string, Value>> set) {
    const std::vector<Value> key = {id};
    return table_->Update(List(key), set);
  }
  Texts InCity(const char* city) {
    return ReadTexts(*table_, {.columns = {{"id"}}, .filter = test::cp::equal(Field("city"), Lit(city))}).ValueOrDie();
  }
  void ExpectEqualToTable() {
    ASSERT_OK_AND_ASSIGN(const auto report, CheckDatabase(ImplOf(*db_), {}));
    EXPECT_EQ(report.problems, Texts());
  }
  std::string IndexUsed(const ScanOptions& options) { return table_->Scan(options).ValueOrDie()->Explain(); }

  std::shared_ptr<Table> table_;
};

TEST_F(IndexTest, EverySingleWriteKeepsTheEntries) {
  EXPECT_EQ(InCity("Rome"), (Texts{"1", "3"}));
  ASSERT_OK(Put(1, "a", "Bern", 30));
  ASSERT_OK(Insert(4, "d", "Rome", 1));
  EXPECT_EQ(InCity("Rome"), (Texts{"3", "4"}));
  const std::vector<Value> three = {3}, four = {4};
  ASSERT_OK_AND_ASSIGN(bool done, Update(2, {{"city", "Rome"}, {"email", "bb"}}));
  EXPECT_TRUE(done);
  ASSERT_OK_AND_ASSIGN(done, table_->Delete(List(three)));
  EXPECT_TRUE(done);
  ASSERT_OK_AND_ASSIGN(done, table_->SoftDelete(List(four)));
  EXPECT_TRUE(done);
  EXPECT_EQ(InCity("Rome"), (Texts{"2"}));
  ExpectEqualToTable();
  ASSERT_OK(Insert(5, "d", "Rome", 1));  // what a soft-deleted row had is free
  ASSERT_OK(Put(4, "e", "Rome", 2));
  ASSERT_OK_AND_ASSIGN(done, table_->SoftDelete(List(four)));
  ASSERT_OK_AND_ASSIGN(done, table_->Purge(List(four)));
  EXPECT_TRUE(done);
  EXPECT_EQ(InCity("Rome"), (Texts{"2", "5"}));
  ExpectEqualToTable();
}

TEST_F(IndexTest, AUniqueOneRefusesValuesThatARowHasAndNothingIsWritten) {
  EXPECT_TRUE(Insert(4, "a", "x", 1).IsAlreadyExists());
  EXPECT_ERROR_HAS(Put(4, "a", "x", 1), "Table main.people has a row with email: a already, and UNIQUE (email)");
  EXPECT_ERROR_HAS(Update(2, {{"email", "a"}}), "email: a");
  ASSERT_OK(Put(2, "b", "Oslo", 41));  // its own
  ASSERT_OK(Put(4, Value::Null(), "Rome", 1));
  EXPECT_EQ(ReadTexts(*table_).ValueOrDie(),
            (Texts{"1|a|Rome|30", "2|b|Oslo|41", "3|null|Rome|null", "4|null|Rome|1"}));
  ExpectEqualToTable();
}

TEST_F(IndexTest, ABatchMaySwapValues) {
  const auto batch = [&](const test::Rows& rows) { return test::BatchOf(table_->schema(), rows).ValueOrDie(); };
  ASSERT_OK(table_->Write(*batch({{1, "b", "Rome", 30}, {2, "a", "Rome", 40}}), WriteMode::kUpsert));
  ASSERT_OK(table_->Write(*batch({{3, "x", "Oslo", 1}, {3, "y", "Bern", 2}, {3, "z", "Rome", Value::Null()}}),
                          WriteMode::kUpsert));  // of one key the last counts
  EXPECT_EQ(InCity("Oslo"), (Texts{}));
  ExpectEqualToTable();
  ASSERT_OK(Insert(9, "x", "Bern", 2));
  ASSERT_OK(table_->Delete({9}).status());
  ASSERT_OK(table_->Write(*batch({{3, Value::Null(), "Rome", Value::Null()}}), WriteMode::kUpsert));
  EXPECT_ERROR_HAS(table_->Write(*batch({{7, "q", "x", 1}, {8, "q", "x", 1}}), WriteMode::kInsert), "email: q");
  EXPECT_EQ(ReadTexts(*table_).ValueOrDie(), (Texts{"1|b|Rome|30", "2|a|Rome|40", "3|null|Rome|null"}));
  ExpectEqualToTable();
}

TEST_F(IndexTest, BulkLoadsInsertAndReplace) {
  test::Rows rows;
  for (int64_t i = 1; i <= 3000; ++i) rows.push_back({i, "mail " + std::to_string(i), i % 2 == 0 ? "Rome" : "Oslo", i});
  const auto load = [&](WriteMode mode) {
    const auto batch = test::BatchOf(table_->schema(), rows).ValueOrDie();
    return table_->BulkLoad(test::ReaderOf({batch}).get(), {.mode = mode}).status();
  };
  ASSERT_OK(load(WriteMode::kUpsert));
  EXPECT_EQ(InCity("Rome").size(), 1500U);
  ExpectEqualToTable();
  ASSERT_OK(table_->Flush({}).status());
  for (auto& row : rows) row[2] = "Bern";
  std::swap(rows[0][1], rows[1][1]);
  ASSERT_OK(load(WriteMode::kUpsert));
  EXPECT_EQ(InCity("Bern").size(), 3000U);
  EXPECT_EQ(InCity("Rome").size(), 0U);
  ExpectEqualToTable();
  for (auto& row : rows) row[0] = Value(row[0].get<int64_t>() + 10000);
  EXPECT_ERROR_HAS(load(WriteMode::kInsert), "email: mail");
  for (auto& row : rows) row[1] = "one";
  EXPECT_ERROR_HAS(load(WriteMode::kInsert), "two of the rows have email: one");
  ExpectEqualToTable();
}

TEST_F(IndexTest, ColdRowsAreFoundAndChanged) {
  ASSERT_OK(table_->Flush({}).status());
  EXPECT_EQ(InCity("Rome"), (Texts{"1", "3"}));
  EXPECT_TRUE(Insert(9, "a", "x", 1).IsAlreadyExists());
  const std::vector<Value> three = {3};
  ASSERT_OK_AND_ASSIGN(bool done, Update(1, {{"city", "Bern"}}));
  EXPECT_TRUE(done);
  ASSERT_OK_AND_ASSIGN(done, table_->Delete(List(three)));
  EXPECT_TRUE(done);
  EXPECT_EQ(InCity("Rome"), (Texts{}));
  EXPECT_EQ(InCity("Bern"), (Texts{"1"}));
  ExpectEqualToTable();
}

TEST_F(IndexTest, TwoTransactionsCannotTakeOneValue) {
  ASSERT_OK_AND_ASSIGN(auto first, session_->Begin());
  ASSERT_OK_AND_ASSIGN(auto second, session_->Begin());
  const std::vector<Value> row = {10, "new", "Rome", 1}, other = {11, "new", "Rome", 2},
                           third = {12, "other", "Rome", 3};
  ASSERT_OK(first->Insert(*table_, List(row)));
  ASSERT_OK(second->Insert(*table_, List(other)));
  ASSERT_OK(first->Commit());
  const arrow::Status lost = second->Commit();
  EXPECT_TRUE(IsConflict(lost));
  EXPECT_ERROR_HAS(lost, "wrote a row of table main.people with email: new");
  ASSERT_OK_AND_ASSIGN(auto again, session_->Begin());
  EXPECT_TRUE(again->Insert(*table_, List(other)).IsAlreadyExists());
  ASSERT_OK(again->Insert(*table_, List(third)));
  ASSERT_OK(again->Commit());
  ExpectEqualToTable();
}

TEST_F(IndexTest, AnIndexIsMadeOverRowsOfBothTiersAndDropped) {
  ASSERT_OK(table_->Flush({}).status());
  ASSERT_OK(Put(4, "d", "Rome", 30));
  ASSERT_OK(db_->AlterTable("people", CreateIndex{{.name = "by_age", .columns = {"age"}}}).status());
  EXPECT_ERROR_HAS(Put(5, "e", "x", 30), "was altered since it was opened");
  table_ = OpenTable("people");
  ExpectEqualToTable();
  const ScanOptions at_30{.columns = {{"id"}}, .filter = test::cp::equal(Field("age"), Lit(30))};
  EXPECT_EQ(ReadTexts(*table_, at_30).ValueOrDie(), (Texts{"1", "4"}));
  EXPECT_NE(IndexUsed(at_30).find("index: index by_age, ranges 1: [(30), (31)), 2 rows"), std::string::npos)
      << IndexUsed(at_30);
  EXPECT_ERROR_HAS(db_->AlterTable("people", CreateIndex{{.name = "BY_AGE", .columns = {"id"}}}).status(),
                   "Index main.BY_AGE exists already");
  EXPECT_ERROR_HAS(db_->AlterTable("people", CreateIndex{{.name = "u", .columns = {"age"}, .unique = true}}).status(),
                   "share values of (age)");
  EXPECT_ERROR_HAS(db_->AlterTable("people", CreateIndex{{.name = "u", .columns = {"nowhere"}}}).status(), "'nowhere'");
  EXPECT_ERROR_HAS(db_->AlterTable("people", DropColumn{"age"}).status(), "drop the index first");
  table_.reset();
  Reopen();
  table_ = OpenTable("people");
  EXPECT_EQ(ReadTexts(*table_, at_30).ValueOrDie(), (Texts{"1", "4"}));
  ASSERT_OK(db_->AlterTable("people", DropIndex{"by_age"}).status());
  EXPECT_TRUE(db_->AlterTable("people", DropIndex{"by_age"}).status().IsKeyError());
  table_ = OpenTable("people");
  EXPECT_EQ(table_->definition().indexes.size(), 2U);
  ExpectEqualToTable();
}

TEST_F(IndexTest, ValuesOfAUserTableAreUniqueForEachUser) {
  TableSpec spec = PeopleSpec(TableKind::kUser);
  spec.name = "mine";
  spec.indexes[1].name = "my_city";
  const auto ann = SessionOf("ann"), bob = SessionOf("bob");
  const auto hers = Create(spec, ann.get()), his = OpenTable("mine", bob.get());
  const std::vector<Value> row = {1, "a", "Rome", 1}, other = {2, "a", "Rome", 1};
  ASSERT_OK(hers->Insert(List(row)));
  ASSERT_OK(his->Insert(List(row)));
  EXPECT_TRUE(his->Insert(List(other)).IsAlreadyExists());
  ASSERT_OK(db_->AlterTable("mine", CreateIndex{{.name = "my_age", .columns = {"age"}, .unique = true}}).status());
  ExpectEqualToTable();
  const auto opened = OpenTable("mine", bob.get());
  const ScanOptions in_rome{.columns = {{"id"}}, .filter = test::cp::equal(Field("city"), Lit("Rome"))};
  EXPECT_EQ(ReadTexts(*opened, in_rome).ValueOrDie(), (Texts{"1"}));
}

TEST_F(IndexTest, CheckNamesEntriesThatAreNotOfTheTable) {
  const auto& database = ImplOf(*db_);
  const auto& catalog = database->catalog();
  ASSERT_OK_AND_ASSIGN(const auto entry, catalog.Find({"main", "people"}));
  const uint32_t by_city = entry->definition->indexes[1].id;
  WriteSet writes;
  writes.Put(entry->partition,
             std::string("\3\0\0", 3) + static_cast<char>(by_city >> 8) + static_cast<char>(by_city) +
                 std::string("\2\2\x80\0\0\0\0\0\0\x9", 10),
             "");
  ASSERT_OK(database->store()->commits().Commit(writes).status());
  ASSERT_OK_AND_ASSIGN(const auto report, CheckDatabase(database, {}));
  EXPECT_EQ(report.problems, Texts{"table main.people: index by_city has 4 entries for 3 rows"});
}

// Nothing below SQL knows what an expression means.
TEST_F(IndexTest, WithoutSqlNobodyWritesEntriesOfExpressions) {
  TableSpec spec = test::Spec("names", {Column("id", TypeId::kInt64), Column("name", TypeId::kUtf8)}, {"id"});
  spec.indexes = {{.name = "by_name", .columns = {"", "id"}, .unique = false}};
  EXPECT_ERROR_HAS(db_->CreateTable(spec).status(), "has a column with an empty name");
  spec.indexes[0].expressions = {{.sql = "lower(name)", .type = TypeId::kUtf8}};
  spec.indexes[0].expression_columns = {"nobody"};
  EXPECT_ERROR_HAS(db_->CreateTable(spec).status(), "names 'nobody', which is not a column with values");
  spec.indexes[0].expression_columns = {"name"};
  const std::vector<Value> row = {int64_t{1}, "Ann"};
  const Status refused = Create(spec)->Put(List(row));
  EXPECT_TRUE(refused.IsNotImplemented());
  EXPECT_ERROR_HAS(refused, "sql::RegisterIndexExpressions");
  EXPECT_TRUE(ReadTexts(*OpenTable("names")).ValueOrDie().empty());
  EXPECT_ERROR_HAS(db_->AlterTable("names", RenameColumn{"name", "n"}).status(),
                   "index 'by_name' on (lower(name), id)");
  EXPECT_ERROR_HAS(db_->AlterTable("names", DropColumn{"name"}).status(), "index 'by_name' depends on it");
  ASSERT_OK(db_->AlterTable("names", DropIndex{"by_name"}).status());
  EXPECT_OK(OpenTable("names")->Put(List(row)));
}

}  // namespace
}  // namespace yarrow
