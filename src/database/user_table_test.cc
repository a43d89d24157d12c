// User tables: everybody sees their own rows and no other.
#include "database_fixture.h"

namespace yarrow {
namespace {

using test::ItemsBatch;
using test::ReaderOf;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

class UserTableTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    ASSERT_OK(db_->CreateTable(Notes()).status());
  }
  static TableSpec Notes() {
    return test::Spec("notes", {test::Column("id", TypeId::kInt64), test::Column("text", TypeId::kUtf8)}, {"id"},
                      TableKind::kUser);
  }
};

TEST_F(UserTableTest, EachUserHasRowsOfTheirOwn) {
  const auto ada = SessionOf("ada"), bob = SessionOf("bob");
  const auto of_ada = OpenTable("notes", ada.get()), of_bob = OpenTable("notes", bob.get());
  ASSERT_OK(of_ada->Insert({1, "ada's"}));
  ASSERT_OK(of_bob->Insert({1, "bob's"}));  // the same key
  ASSERT_OK(of_bob->Insert({2, "bob's second"}));
  EXPECT_EQ(ReadTexts(*of_ada).ValueOrDie(), (Texts{"1|ada's"}));
  EXPECT_EQ(ReadTexts(*of_bob).ValueOrDie(), (Texts{"1|bob's", "2|bob's second"}));
  EXPECT_EQ(TextOf(of_ada->Get({2})), "none");
  ASSERT_OK_AND_ASSIGN(bool found, of_ada->Delete({2}));
  EXPECT_FALSE(found);
  ASSERT_OK_AND_ASSIGN(found, of_ada->Update({1}, {{"text", "changed"}}));
  EXPECT_TRUE(found);
  EXPECT_EQ(TextOf(of_bob->Get({1})), "1|bob's");
  // A second session of the same user shares the rows.
  EXPECT_EQ(TextOf(OpenTable("notes", SessionOf("ada").get())->Get({1})), "1|changed");
  EXPECT_EQ(ada->user(), "ada");
}

TEST_F(UserTableTest, NamesThatStartAlikeAreApart) {
  const std::vector<std::string> users = {"a", "ab", std::string("a\0", 2), std::string("a\0b", 3), "a\x01", "é", "éa",
                                          "😀", "A"};
  std::vector<std::shared_ptr<Table>> tables;
  for (const auto& user : users) tables.push_back(OpenTable("notes", SessionOf(user).get()));
  for (size_t i = 0; i < users.size(); ++i) {
    for (size_t n = 0; n <= i; ++n) ASSERT_OK(tables[i]->Put({n, users[i]}));
  }
  ASSERT_OK(db_->store()->FlushMemtables());
  for (size_t i = 0; i < users.size(); ++i) {
    for (const bool reverse : {false, true}) {
      ScanOptions options;
      options.reverse = reverse;
      ScanMetrics metrics;
      ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*tables[i], options, &metrics));
      ASSERT_EQ(rows.size(), i + 1);
      for (const auto& row : rows) EXPECT_EQ(row.substr(2), users[i]);
      EXPECT_EQ(metrics.rows_visited, i + 1) << "one prefix scan";
    }
  }
  ASSERT_OK_AND_ASSIGN(const Texts known, ReadTexts(*OpenTable("system.users")));
  EXPECT_EQ(known.size(), users.size());
}

TEST_F(UserTableTest, ScansWithThreadsStayWithTheUser) {
  const auto of_a = OpenTable("notes", SessionOf("a").get()), of_b = OpenTable("notes", SessionOf("b").get());
  for (int i = 0; i < 3000; ++i) {
    ASSERT_OK(of_a->Put({i, std::string(2000, 'a')}));
    ASSERT_OK(of_b->Put({i, std::string(2000, 'b')}));
  }
  ASSERT_OK(db_->store()->FlushMemtables());
  ScanOptions options;
  options.threads = 3;
  options.columns = {"text"};
  ASSERT_OK_AND_ASSIGN(const Texts rows, ReadTexts(*of_a, options));
  EXPECT_EQ(rows, Texts(3000, std::string(2000, 'a')));
}

TEST_F(UserTableTest, WithoutUserEveryOperationIsAnError) {
  const auto table = OpenTable("notes");
  const auto batch = test::BatchOf(table->schema(), {{int64_t{1}, "x"}}).ValueOrDie();
  const auto reader = ReaderOf({batch});
  const std::string why = "no acting user";
  EXPECT_ERROR_HAS(table->Scan(), why);
  EXPECT_ERROR_HAS(table->Get({1}), why);
  EXPECT_ERROR_HAS(table->Put({1, "x"}), why);
  EXPECT_ERROR_HAS(table->Insert({1, "x"}), why);
  EXPECT_ERROR_HAS(table->Update({1}, {{"text", "x"}}), why);
  EXPECT_ERROR_HAS(table->Delete({1}), why);
  EXPECT_ERROR_HAS(table->SoftDelete({1}), why);
  EXPECT_ERROR_HAS(table->Purge({1}), why);
  EXPECT_ERROR_HAS(table->Write(*batch), why);
  EXPECT_ERROR_HAS(table->BulkLoad(reader.get()), why);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  EXPECT_ERROR_HAS(table->ScanAll(), why);
#pragma GCC diagnostic pop
  ASSERT_OK_AND_ASSIGN(const auto transaction, session_->Begin());
  const std::vector<Value> key = {1}, row = {1, "x"};
  const std::pair<std::string, Value> set[] = {{"text", "x"}};
  EXPECT_ERROR_HAS(transaction->Scan(*table), why);
  EXPECT_ERROR_HAS(transaction->Get(*table, key), why);
  EXPECT_ERROR_HAS(transaction->Put(*table, row), why);
  EXPECT_ERROR_HAS(transaction->Insert(*table, row), why);
  EXPECT_ERROR_HAS(transaction->Update(*table, key, set), why);
  EXPECT_ERROR_HAS(transaction->Delete(*table, key), why);
  EXPECT_ERROR_HAS(transaction->SoftDelete(*table, key), why);
  EXPECT_ERROR_HAS(transaction->Purge(*table, key), why);
  EXPECT_ERROR_HAS(transaction->Write(*table, *batch), why);
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(ReadTexts(*OpenTable("system.jobs")).ValueOrDie(), Texts{}) << "a refused load is no job";
}

TEST_F(UserTableTest, TransactionRefusesTableOfAnotherUser) {
  const auto ada = SessionOf("ada"), bob = SessionOf("bob");
  const auto of_ada = OpenTable("notes", ada.get()), of_bob = OpenTable("notes", bob.get());
  const std::vector<Value> key = {1}, row = {1, "x"};
  ASSERT_OK_AND_ASSIGN(const auto transaction, ada->Begin());
  EXPECT_ERROR_HAS(transaction->Put(*of_bob, row), "another user");
  EXPECT_ERROR_HAS(transaction->Get(*of_bob, key), "another user");
  EXPECT_ERROR_HAS(transaction->Scan(*of_bob), "another user");
  ASSERT_OK_AND_ASSIGN(const auto nobody, session_->Begin());
  EXPECT_ERROR_HAS(nobody->Put(*of_bob, row), "another user");
  ASSERT_OK(transaction->Put(*of_ada, row));
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(TextOf(of_ada->Get({1})), "1|x");
  EXPECT_EQ(TextOf(of_bob->Get({1})), "none");
}

TEST_F(UserTableTest, SharedTablesAreForAllUsers) {
  const auto items = Create(test::ItemsSpec());
  ASSERT_OK(items->Put({1, 2, "x", 1.5}));
  EXPECT_EQ(TextOf(OpenTable("items", SessionOf("ada").get())->Get({1})), "1|2|x|1.5");
}

TEST_F(UserTableTest, BulkLoadGoesToTheActingUser) {
  ASSERT_OK(db_->CreateTable(test::ItemsSpec("mine", TableKind::kUser)).status());
  const auto of_ada = OpenTable("mine", SessionOf("ada").get()), of_bob = OpenTable("mine", SessionOf("bob").get());
  ASSERT_OK(of_bob->Put({5, 5, "bob's", Value()}));
  Load(of_ada.get(), {ItemsBatch(0, 100)});
  EXPECT_EQ(ReadTexts(*of_ada).ValueOrDie().size(), 100u);
  EXPECT_EQ(ReadTexts(*of_bob).ValueOrDie(), (Texts{"5|5|bob's|null"}));
}

TEST_F(UserTableTest, RowsSurviveReopenAndDropTakesAllUsersRows) {
  ASSERT_OK(OpenTable("notes", SessionOf("ada").get())->Put({1, "ada's"}));
  ASSERT_OK(OpenTable("notes", SessionOf("bob").get())->Put({1, "bob's"}));
  Reopen();
  EXPECT_EQ(ReadTexts(*OpenTable("notes", SessionOf("ada").get())).ValueOrDie(), (Texts{"1|ada's"}));
  ASSERT_OK(db_->DropTable("notes"));
  ASSERT_OK(db_->CreateTable(Notes()).status());
  EXPECT_EQ(ReadTexts(*OpenTable("notes", SessionOf("ada").get())).ValueOrDie(), Texts{});
  EXPECT_EQ(ReadTexts(*OpenTable("notes", SessionOf("bob").get())).ValueOrDie(), Texts{});
}

TEST_F(UserTableTest, UserNameMustBeText) {
  EXPECT_ERROR_HAS(db_->OpenSession({.user = "\xFF"}), "user");
  EXPECT_EQ(ReadTexts(*OpenTable("system.users")).ValueOrDie(), Texts{});
}

}  // namespace
}  // namespace yarrow
