// ALTER TABLE by the API: rows of all versions, who reads which definition, who is too late.
#include "database_fixture.h"

namespace yarrow {
namespace {

using test::Column;
using test::Field;
using test::List;
using test::Lit;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

namespace cp = arrow::compute;

class AlterTableTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    table_ = Create(test::Spec("t",
                               {Column("id", TypeId::kInt64), Column("n", TypeId::kInt32), Column("f", TypeId::kFloat),
                                Column("note", TypeId::kUtf8)},
                               {"id"}));
    ASSERT_OK(table_->Put({1, 10, 1.5, "one"}));
    ASSERT_OK(table_->Put({2, Value::Null(), Value::Null(), "two"}));
    ASSERT_OK(table_->Put({3, -3, -0.5, Value::Null()}));
  }
  void TearDown() override { table_.reset(); }
  void Alter(const TableAlteration& alteration) {
    ASSERT_OK(db_->AlterTable("t", alteration).status());
    table_ = OpenTable("t");
  }
  Texts Rows(const ScanOptions& options = {}) { return ReadTexts(*table_, options).ValueOrDie(); }
  std::string Get(int64_t id) { return TextOf(table_->Get({id})); }
  arrow::Result<bool> Update(int64_t id, Assignments set) {
    const std::vector<Value> key = {id};
    return table_->Update(key, set);
  }
  static arrow::Status Put(Transaction& transaction, const Table& table, std::vector<Value> row) {
    return transaction.Put(table, List(row));
  }
  Texts Where(const cp::Expression& filter) { return Rows({.columns = {{"id"}}, .filter = filter}); }

  std::shared_ptr<Table> table_;
};

TEST_F(AlterTableTest, RowsOfAllVersionsAnswerAsThePresentOne) {
  Alter(AddColumn{Column("x", TypeId::kInt16, false, Value(5))});
  ASSERT_OK(table_->Put({4, 4, 4.0, "four", 44}));
  Alter(SetColumnDefault{"x", Value(6)});
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(WidenColumn{"f", TypeId::kDouble});
  ASSERT_OK(table_->Put({5, int64_t{5} << 40, 0.1, "five", 55}));
  Alter(DropColumn{"note"});
  Alter(WidenColumn{"x", TypeId::kDouble});
  Alter(AddColumn{Column("note", TypeId::kInt8)});
  ASSERT_OK(table_->Put({6, 6, 6.0, 66.5, 7}));
  const Texts all = {"1|10|1.5|5|null", "2|null|null|5|null",          "3|-3|-0.5|5|null",
                     "4|4|4|44|null",   "5|5497558138880|0.1|55|null", "6|6|6|66.5|7"};
  EXPECT_EQ(Rows(), all);
  EXPECT_EQ(Rows({.reverse = true, .threads = 2}), Texts(all.rbegin(), all.rend()));
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(Get(static_cast<int64_t>(i) + 1), all[i]);
  EXPECT_EQ(table_->definition().ArrowSchema()->ToString(),
            "id: int64 not null\nn: int64\nf: double\nx: double not null\nnote: int8");
  table_.reset();
  Reopen();
  table_ = OpenTable("t");
  EXPECT_EQ(Rows(), all);
}

TEST_F(AlterTableTest, FiltersCompareWhatThePresentDefinitionSays) {
  Alter(AddColumn{Column("x", TypeId::kInt16, true, Value(5))});
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(WidenColumn{"f", TypeId::kDouble});
  ASSERT_OK(table_->Put({4, int64_t{1} << 33, 0.1, "four", Value::Null()}));
  EXPECT_EQ(Where(cp::equal(Field("x"), Lit(int16_t{5}))), (Texts{"1", "2", "3"}));
  EXPECT_EQ(Where(cp::is_null(Field("x"))), (Texts{"4"}));
  EXPECT_EQ(Where(cp::less(Field("n"), Lit(int64_t{11}))), (Texts{"1", "3"}));
  EXPECT_EQ(Where(cp::greater(Field("n"), Lit(int64_t{1} << 32))), (Texts{"4"}));
  // Not the number that is left of it in 32 bits.
  EXPECT_EQ(Where(cp::equal(Field("n"), Lit((int64_t{1} << 32) + 10))), (Texts{}));
  EXPECT_EQ(Where(cp::and_(cp::greater_equal(Field("n"), Lit(int64_t{-3})), cp::less(Field("n"), Lit(int64_t{10})))),
            (Texts{"3"}));
  EXPECT_EQ(Where(cp::or_(cp::equal(Field("n"), Lit(int64_t{10})), cp::equal(Field("n"), Lit(int64_t{-3})))),
            (Texts{"1", "3"}));
  EXPECT_EQ(Where(cp::less(Field("f"), Lit(0.5))), (Texts{"3", "4"}));
  EXPECT_EQ(Where(cp::equal(Field("f"), Lit(0.1))), (Texts{"4"}));
  EXPECT_EQ(Where(cp::is_valid(Field("n"))), (Texts{"1", "3", "4"}));
}

TEST_F(AlterTableTest, ChangesOfOldRowsWriteTheNewVersion) {
  Alter(AddColumn{Column("x", TypeId::kInt16, false, Value(5))});
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(RenameColumn{"note", "text"});
  const std::pair<std::string, Value> set[] = {{"text", Value("changed")}};
  ASSERT_OK(Update(1, set).status());
  EXPECT_EQ(Get(1), "1|10|1.5|changed|5");
  ASSERT_OK(table_->SoftDelete({2}).status());
  EXPECT_EQ(Get(2), "none");
  EXPECT_ERROR_HAS(table_->Insert({3, 1, 1.0, "x", 1}), "key (3)");
  ASSERT_OK(table_->Delete({3}).status());
  EXPECT_EQ(Rows(), (Texts{"1|10|1.5|changed|5"}));
  Alter(DropColumn{"x"});
  EXPECT_EQ(Rows(), (Texts{"1|10|1.5|changed"}));
}

TEST_F(AlterTableTest, SnapshotsAndScansKeepTheDefinitionTheyBeganWith) {
  const auto old_table = table_;
  const Snapshot old = db_->GetSnapshot();
  ASSERT_OK_AND_ASSIGN(const auto running, old_table->Scan({.snapshot = old}));
  Alter(DropColumn{"note"});
  Alter(AddColumn{Column("note", TypeId::kInt8, true, Value(9))});
  ASSERT_OK(table_->Put({1, 1, 1.0, 1}));
  const Texts before = {"1|10|1.5|one", "2|null|null|two", "3|-3|-0.5|null"};
  EXPECT_EQ(ReadTexts(running.get()).ValueOrDie(), before);
  EXPECT_EQ(ReadTexts(*old_table, {.snapshot = old}).ValueOrDie(), before);
  EXPECT_EQ(TextOf(old_table->Get({1}, old)), "1|10|1.5|one");
  EXPECT_EQ(Rows(), (Texts{"1|1|1|1", "2|null|null|9", "3|-3|-0.5|9"}));
  for (const arrow::Status& status :
       {old_table->Scan({}).status(), old_table->Get({1}).status(), old_table->Put({9, 9, 9.0, "nine"}),
        old_table->Insert({9, 9, 9.0, "nine"}), old_table->Delete({1}).status()}) {
    EXPECT_TRUE(IsConflict(status)) << status.ToString();
    EXPECT_ERROR_HAS(status, "table main.t was altered since it was opened");
  }
  const Snapshot altered = db_->GetSnapshot();
  EXPECT_ERROR_HAS(old_table->Scan({.snapshot = altered}), "table main.t was altered since it was opened");
  EXPECT_ERROR_HAS(old_table->Get({1}, altered), "table main.t was altered since it was opened");
  // Rows of then by the definition of now.
  EXPECT_EQ(ReadTexts(*table_, {.snapshot = old}).ValueOrDie(), (Texts{"1|10|1.5|9", "2|null|null|9", "3|-3|-0.5|9"}));
  Alter(RenameColumn{"n", "m"});
  ASSERT_OK(db_->AlterTable("t", RenameTable{"u"}).status());
  EXPECT_ERROR_HAS(old_table->Scan({}), "is main.u now");
  ASSERT_OK(db_->DropTable("u"));
  EXPECT_ERROR_HAS(old_table->Scan({}), "was dropped");
}

TEST_F(AlterTableTest, ATransactionThatWroteByAnOldDefinitionIsToldToRunAgain) {
  ASSERT_OK_AND_ASSIGN(const auto writer, session_->Begin());
  ASSERT_OK_AND_ASSIGN(const auto reader, session_->Begin());
  const auto old_table = table_;
  ASSERT_OK(Put(*writer, *old_table, {4, 4, 4.0, "four"}));
  Alter(DropColumn{"n"});
  EXPECT_EQ(ReadTexts(reader.get(), *old_table).ValueOrDie().size(), 3u);
  EXPECT_EQ(TextOf(reader->Get(*old_table, List({1}))), "1|10|1.5|one");
  EXPECT_OK(reader->Commit());
  const arrow::Status late = writer->Commit();
  EXPECT_TRUE(IsConflict(late)) << late.ToString();
  EXPECT_ERROR_HAS(late, "table main.t: another transaction has altered this table");
  EXPECT_EQ(Rows().size(), 3u);
  // It may read rows from before by the new definition.
  ASSERT_OK_AND_ASSIGN(const auto early, session_->Begin());
  Alter(AddColumn{Column("x", TypeId::kBool, true, Value(true))});
  ASSERT_OK(table_->Put({5, 5.0, "five", false}));
  EXPECT_EQ(ReadTexts(early.get(), *table_, {.columns = {{"id", "x"}}}).ValueOrDie(),
            (Texts{"1|true", "2|true", "3|true"}));
}

TEST_F(AlterTableTest, ErrorsAreOfTheTable) {
  EXPECT_ERROR_HAS(db_->AlterTable("nowhere", DropColumn{"a"}), "no table main.nowhere");
  EXPECT_ERROR_HAS(db_->AlterTable("t", DropColumn{"a"}), "Table main.t has no column 'a'");
  EXPECT_ERROR_HAS(db_->AlterTable("system.tables", DropColumn{"kind"}), "belongs to the database");
  ASSERT_OK_AND_ASSIGN(const auto same, db_->AlterTable("t", DropColumn{"a", true}));
  EXPECT_EQ(same.get(), &OpenTable("t")->definition()) << "nothing changed";
  EXPECT_OK(table_->Put({7, 7, 7.0, "seven"}));
}

TEST_F(AlterTableTest, RowIdsGoOn) {
  table_ = Create(test::Spec("log", {Column("a", TypeId::kInt64)}, {}));
  ASSERT_OK(table_->Insert({1}));
  ASSERT_OK(db_->AlterTable("log", AddColumn{Column("b", TypeId::kUtf8, true, Value("old"))}).status());
  table_ = OpenTable("log");
  ASSERT_OK(table_->Insert({2, "new"}));
  EXPECT_EQ(Rows(), (Texts{"1|old", "2|new"}));
  ASSERT_OK(db_->AlterTable("log", DropColumn{"a"}).status());
  table_ = OpenTable("log");
  EXPECT_EQ(Rows(), (Texts{"old", "new"}));
}

TEST_F(AlterTableTest, NotNullNeedsAValueInEachRow) {
  const auto set = [&] { return db_->AlterTable("t", SetNotNull{"n"}).status(); };
  const auto update = [&](int64_t id, Value n) {
    const std::vector<std::pair<std::string, Value>> values = {{"n", std::move(n)}};
    return Update(id, values).status();
  };
  EXPECT_ERROR_HAS(set(), "Table main.t has rows without a value of column n (id = 2, n = null");
  ASSERT_OK(update(2, Value(20)));
  ASSERT_OK(table_->Flush().status());
  ASSERT_OK(update(3, Value::Null()));
  EXPECT_ERROR_HAS(set(), "(id = 3");
  ASSERT_OK(update(3, Value(30)));
  ASSERT_OK(set());
  EXPECT_ERROR_HAS(db_->AlterTable("t", SetNotNull{"nowhere"}).status(), "no column 'nowhere'");
  table_ = OpenTable("t");
  EXPECT_ERROR_HAS(table_->Put({4, Value::Null(), 1.0, "four"}), "NOT NULL");
  ASSERT_OK(set());  // once more changes nothing
}

// Of the rows of all users, and without a word of whose they are.
TEST_F(AlterTableTest, NotNullOfAUserTableLooksAtEveryUser) {
  TableSpec spec = test::Spec("u", {Column("id", TypeId::kInt64), Column("n", TypeId::kInt32)}, {"id"});
  spec.kind = TableKind::kUser;
  ASSERT_OK(db_->CreateTable(spec).status());
  const auto put = [&](const std::string& user, Value n) {
    const auto session = db_->OpenSession({.user = user}).ValueOrDie();
    return session->OpenTable("u").ValueOrDie()->Put({1, std::move(n)});
  };
  ASSERT_OK(put("ada", 1));
  ASSERT_OK(put("bob", Value::Null()));
  const arrow::Status refused = db_->AlterTable("u", SetNotNull{"n"}).status();
  EXPECT_ERROR_HAS(refused, "rows without a value of column n;");
  EXPECT_EQ(refused.message().find("bob"), std::string::npos);
  ASSERT_OK(put("bob", 2));
  ASSERT_OK(db_->AlterTable("u", SetNotNull{"n"}).status());
}

TEST_F(AlterTableTest, WhatOnlySqlComputesIsNotWrittenWithout) {
  TableSpec spec = test::Spec("c", {Column("id", TypeId::kInt64), Column("at", TypeId::kInt64)}, {"id"});
  spec.columns[1].default_expression = "epoch_us(now())";
  spec.columns[1].comment = "when";
  spec.generated_columns = {{.id = 0, .name = "twice", .type = TypeId::kInt64, .expression = "id * 2", .position = 1}};
  const auto table = Create(spec);
  EXPECT_EQ(table->definition().ArrowSchema()->num_fields(), 2);
  ASSERT_OK(table->Put({1, 5}));
  const auto ids = arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64())}), 1,
                                            {arrow::MakeArrayFromScalar(arrow::Int64Scalar(2), 1).ValueOrDie()});
  EXPECT_ERROR_HAS(table->Write(*ids), "only SQL computes its default epoch_us(now())");
  EXPECT_EQ(ReadTexts(*table, {}).ValueOrDie(), Texts{"1|5"});
  spec.name = "d";
  spec.checks = {"id > 0"};
  const auto checked = Create(spec);
  const std::vector<Value> key = {1};
  const std::vector<std::pair<std::string, Value>> values = {{"at", Value(6)}};
  for (const arrow::Status& refused :
       {checked->Put({1, 5}), checked->Insert({1, 5}), checked->Write(*ids), checked->Update(key, values).status(),
        checked->BulkLoad(arrow::RecordBatchReader::Make({ids}, ids->schema()).ValueOrDie().get()).status()}) {
    EXPECT_ERROR_HAS(refused, "Table main.d has the constraint CHECK(id > 0), which SQL alone can test");
  }
  ASSERT_OK(checked->Delete(key).status());
}

}  // namespace
}  // namespace yarrow
