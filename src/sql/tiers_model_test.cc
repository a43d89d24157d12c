// Everything at once: transactions by SQL and by the API from several threads, beside flushes, compactions, ALTER
// TABLE, expiring rows, snapshots that are held open, and reopening. Each transaction does the same to a table that
// moves its rows and to one that never does: at every snapshot both are equal. And each thread has keys that only it
// writes, so that it knows them all.
//
// Rows of long ago expire in the one table at a moment that nobody knows and stay in the other one; so what is changed
// and compared are the others, and those that are left of them must be among the other table's.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "random_seed.h"
#include "sql_fixture.h"
#include "store/store_commits.h"
#include "yarrow/database.h"

namespace yarrow {
namespace {

constexpr int kWriters = 3;
constexpr int64_t kKeys = 40;  // of each writer
constexpr const char* kTables[] = {"tiered", "hot"};
constexpr const char* kFresh = "(seen IS NULL OR seen > TIMESTAMP '2050-01-01')";
constexpr int64_t kOldMicros = 946'684'800'000'000;      // 2000-01-01
constexpr int64_t kYoungMicros = 4'102'444'800'000'000;  // 2100-01-01

struct ModelRow {
  int64_t n = 0;
  std::string note;
  std::optional<int64_t> at;  // microseconds
  bool is_fresh() const { return !at || *at > kOldMicros; }
  friend bool operator==(const ModelRow&, const ModelRow&) = default;
};
using Model = std::map<int64_t, ModelRow>;  // by id

class TiersModelTest : public test::SqlFixture {
 public:
  void Reopen() {
    connection_.reset();
    duckdb_.reset();
    const std::weak_ptr<Database> open = database_;
    database_.reset();
    EXPECT_TRUE(open.expired());
    SetUp();
  }
  using test::SqlFixture::Connect;
  using test::SqlFixture::Run;
  const std::shared_ptr<Database>& database() const { return database_; }
};

std::string Literal(const ModelRow& row) {
  const std::string at = !row.at ? "NULL" : *row.at == kOldMicros ? "TIMESTAMP '2000-01-01'" : "TIMESTAMP '2100-01-01'";
  return std::to_string(row.n) + ", '" + row.note + "', " + at;
}

// One thread that changes rows. What it knows is what its commits, and nothing else, have made.
class Writer {
 public:
  Writer(TiersModelTest* test, int number, uint64_t seed) : test_(*test), number_(number), random_(seed) {}
  virtual ~Writer() = default;

  void Run(int transactions) {
    Open();
    for (int i = 0; i < transactions && !testing::Test::HasFailure(); ++i) {
      Model after = model_;
      if (Transact(&after)) {
        model_ = std::move(after);
        ++commits_;
      }
      if (i % 5 == 0) CheckOwnKeys();
    }
    CheckOwnKeys();
    Close();
  }
  int commits() const { return commits_; }

 protected:
  virtual void Open() = 0;
  virtual void Close() = 0;
  // False: lost to another transaction, nothing happened.
  virtual bool Transact(Model* model) = 0;

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  int64_t AnyKey() { return static_cast<int64_t>(Below(kKeys)) * kWriters + number_; }
  // That all writers write.
  int64_t SharedKey() { return 100'000 + static_cast<int64_t>(Below(5)); }
  ModelRow AnyRow() {
    ModelRow row{.n = static_cast<int64_t>(Below(1000)), .note = "note " + std::to_string(Below(50)), .at = {}};
    if (Below(3) > 0) row.at = Below(3) == 0 ? kOldMicros : kYoungMicros;
    return row;
  }
  std::string OwnKeys() const {
    return "id < 100000 AND id % " + std::to_string(kWriters) + " = " + std::to_string(number_);
  }
  void CheckOwnKeys() {
    std::string expected;
    for (const auto& [id, row] : model_) {
      if (!row.is_fresh()) continue;
      if (!expected.empty()) expected += "\n";
      expected += std::to_string(id) + "|" + std::to_string(row.n) + "|" + row.note;
    }
    const auto connection = test_.Connect();
    for (const char* table : kTables) {
      ASSERT_EQ(TiersModelTest::Run(*connection, std::string("SELECT id, n, note FROM ") + table + " WHERE " +
                                                     OwnKeys() + " AND " + kFresh + " ORDER BY id"),
                expected)
          << table << ", writer " << number_;
    }
  }

  TiersModelTest& test_;
  const int number_;
  std::mt19937_64 random_;
  Model model_;
  int commits_ = 0;
};

class SqlWriter : public Writer {
 public:
  using Writer::Writer;

 protected:
  void Open() override { connection_ = test_.Connect(); }
  void Close() override { connection_.reset(); }

  bool Transact(Model* model) override {
    if (!Do("BEGIN")) return false;
    for (uint64_t left = 1 + Below(4); left > 0; --left) {
      if (!Change(model)) {
        connection_->Query("ROLLBACK");
        return false;
      }
    }
    return Do("COMMIT");
  }

 private:
  // False: a conflict.
  bool Do(const std::string& sql) {
    const auto result = connection_->Query(sql);
    if (!result->HasError()) return true;
    EXPECT_EQ(result->GetErrorObject().Type(), duckdb::ExceptionType::TRANSACTION) << sql << ": " << result->GetError();
    return false;
  }
  // The statement with each table in place of $; both have the same result, which `rows` gets.
  bool DoBoth(const std::string& statement, std::string* rows = nullptr) {
    std::string answers[2];
    for (int i = 0; i < 2; ++i) {
      std::string sql = statement;
      sql.replace(sql.find('$'), 1, kTables[i]);
      const auto result = connection_->Query(sql);
      if (result->HasError()) {
        EXPECT_EQ(result->GetErrorObject().Type(), duckdb::ExceptionType::TRANSACTION)
            << sql << ": " << result->GetError();
        return false;
      }
      answers[i] = result->ToString();
    }
    EXPECT_EQ(answers[0], answers[1]) << statement;
    if (rows != nullptr) *rows = answers[0];
    return true;
  }
  bool Change(Model* model) {
    const int64_t id = AnyKey();
    const std::string where = " WHERE id = " + std::to_string(id);
    switch (Below(6)) {
      case 0:
      case 1: {  // whether a row is there, that may have expired, makes no difference
        const ModelRow row = AnyRow();
        for (const char* table : kTables) {
          if (!Do(std::string("DELETE FROM ") + table + where)) return false;
        }
        (*model)[id] = row;
        return DoBoth("INSERT INTO $ (id, n, note, seen) VALUES (" + std::to_string(id) + ", " + Literal(row) + ")");
      }
      case 2: {
        const auto known = model->find(id);
        if (known != model->end() && known->second.is_fresh()) known->second.n += 1;
        return DoBoth("UPDATE $ SET n = n + 1" + where + " AND " + kFresh + " RETURNING id, n, note, seen");
      }
      case 3: {
        const auto known = model->find(id);
        if (known != model->end() && known->second.is_fresh()) model->erase(known);
        return DoBoth("DELETE FROM $" + where + " AND " + kFresh + " RETURNING *");
      }
      case 4: {
        const int64_t last = id + static_cast<int64_t>(Below(30));
        for (auto& [key, row] : *model) {
          if (key >= id && key <= last && row.is_fresh()) row.note = "all";
        }
        return DoBoth("UPDATE $ SET note = 'all' WHERE id BETWEEN " + std::to_string(id) + " AND " +
                      std::to_string(last) + " AND " + OwnKeys() + " AND " + kFresh);
      }
      default: {
        const std::string shared = std::to_string(SharedKey());
        return DoBoth("DELETE FROM $ WHERE id = " + shared) &&
               DoBoth("INSERT INTO $ (id, n) VALUES (" + shared + ", " + std::to_string(Below(1000)) + ")");
      }
    }
  }

  std::unique_ptr<duckdb::Connection> connection_;
};

class ApiWriter : public Writer {
 public:
  using Writer::Writer;

 protected:
  void Open() override { session_ = test_.database()->OpenSession().ValueOrDie(); }
  void Close() override { session_.reset(); }

  bool Transact(Model* model) override {
    const arrow::Status status = TryTransact(model);
    EXPECT_TRUE(status.ok() || IsConflict(status)) << status.ToString();
    return status.ok();
  }

 private:
  arrow::Status TryTransact(Model* model) {
    for (int i = 0; i < 2; ++i) {
      ARROW_ASSIGN_OR_RAISE(tables_[i], session_->OpenTable(kTables[i]));
    }
    ARROW_ASSIGN_OR_RAISE(const auto transaction, session_->Begin());
    for (uint64_t left = 1 + Below(4); left > 0; --left) ARROW_RETURN_NOT_OK(Change(transaction.get(), model));
    return transaction->Commit();
  }
  arrow::Status Change(Transaction* transaction, Model* model) {
    const int64_t id = AnyKey();
    const Value key[] = {Value(id)};
    const auto known = model->find(id);
    const bool is_known = known != model->end() && known->second.is_fresh();
    if (Below(2) == 0 || (known != model->end() && !is_known)) {
      const ModelRow row = AnyRow();
      (*model)[id] = row;
      return Upsert(transaction, id, row);
    }
    for (const auto& table : tables_) {
      ARROW_ASSIGN_OR_RAISE(const auto found, transaction->Get(*table, key));
      EXPECT_EQ(found.has_value(), is_known) << id;
      if (!is_known) continue;
      ARROW_ASSIGN_OR_RAISE(const Value n, found->Get("n"));
      EXPECT_EQ(n.get<int64_t>(), known->second.n) << id;
    }
    if (!is_known) return arrow::Status::OK();
    const bool is_delete = Below(3) == 0;
    for (const auto& table : tables_) {
      const std::pair<std::string, Value> set[] = {{"n", Value(known->second.n + 5)}};
      ARROW_ASSIGN_OR_RAISE(const bool found,
                            is_delete ? transaction->Delete(*table, key) : transaction->Update(*table, key, set));
      EXPECT_TRUE(found) << id;
    }
    if (is_delete) {
      model->erase(known);
    } else {
      known->second.n += 5;
    }
    return arrow::Status::OK();
  }
  arrow::Status Upsert(Transaction* transaction, int64_t id, const ModelRow& row) {
    for (const auto& table : tables_) {
      arrow::FieldVector fields;
      arrow::ArrayVector columns;
      const std::pair<const char*, Value> cells[] = {{"id", Value(id)},
                                                     {"n", Value(row.n)},
                                                     {"note", Value(row.note)},
                                                     {"seen", row.at ? Value(*row.at) : Value()}};
      for (const auto& [name, value] : cells) {
        const auto field = table->schema()->GetFieldByName(name);
        ARROW_ASSIGN_OR_RAISE(const ColumnType type, ColumnType::FromArrow(*field->type()));
        ARROW_ASSIGN_OR_RAISE(const auto scalar, value.ToScalar(type));
        ARROW_ASSIGN_OR_RAISE(auto column, arrow::MakeArrayFromScalar(*scalar, 1));
        fields.push_back(field);
        columns.push_back(std::move(column));
      }
      const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), 1, columns);
      ARROW_RETURN_NOT_OK(transaction->Write(*table, *batch));
    }
    return arrow::Status::OK();
  }

  std::shared_ptr<Session> session_;
  std::shared_ptr<Table> tables_[2];
};

// Moves rows and changes definitions until it is told to stop.
class Mover {
 public:
  Mover(TiersModelTest* test, uint64_t seed) : test_(*test), random_(seed) {}
  void Run(const std::atomic<bool>& stop) {
    const auto connection = test_.Connect();
    for (int left = 3; (!stop || left > 0) && !testing::Test::HasFailure(); --left) Move(*connection);
  }
  int moves() const { return moves_; }

 private:
  void Move(duckdb::Connection& connection) {
    ++moves_;
    switch (random_() % 8) {
      case 0:
      case 1:
        return Expect(connection, "CALL yarrow_flush('tiered', max_segment_rows := 40)");
      case 2:
        return Expect(connection, "CALL yarrow_compact('tiered')");
      case 3:
        return Expect(connection, "CALL yarrow_compact('tiered', \"full\" := true, max_segment_rows := 50)");
      case 4:
        return Expect(connection, "CALL yarrow_expire('tiered')");
      case 5:
        return Expect(connection, "ALTER TABLE tiered SET (flush_rows = " + std::to_string(10 + random_() % 60) + ")");
      default:
        return Alter(connection);
    }
  }
  void Expect(duckdb::Connection& connection, const std::string& sql) {
    const std::string answer = TiersModelTest::Run(connection, sql);
    EXPECT_FALSE(answer.starts_with("error")) << sql << ": " << answer;
  }
  void Alter(duckdb::Connection& connection) {
    std::string change, next = extra_;
    if (extra_.empty()) {
      change = "ADD COLUMN x SMALLINT DEFAULT " + std::to_string(random_() % 100);
      next = "x SMALLINT";
    } else if (extra_ == "x SMALLINT" && random_() % 2 == 0) {
      change = "ALTER COLUMN x TYPE BIGINT";
      next = "x BIGINT";
    } else if (extra_[0] == 'x' && random_() % 2 == 0) {
      change = "RENAME COLUMN x TO y";
      next = "y";
    } else {
      change = std::string("DROP COLUMN ") + extra_[0];
      next = "";
    }
    for (const std::string& sql :
         {std::string("BEGIN"), "ALTER TABLE tiered " + change, "ALTER TABLE hot " + change, std::string("COMMIT")}) {
      const auto result = connection.Query(sql);
      if (!result->HasError()) continue;
      EXPECT_EQ(result->GetErrorObject().Type(), duckdb::ExceptionType::TRANSACTION)
          << sql << ": " << result->GetError();
      connection.Query("ROLLBACK");
      return;
    }
    extra_ = next;
  }

  TiersModelTest& test_;
  std::mt19937_64 random_;
  std::string extra_;  // the column that comes and goes, with its type
  int moves_ = 0;
};

// Asks both tables the same, in snapshots that it holds open for a while.
class Checker {
 public:
  Checker(TiersModelTest* test, uint64_t seed) : test_(*test), random_(seed) {}
  void Run(const std::atomic<bool>& stop) {
    const auto connection = test_.Connect();
    while (!stop && !testing::Test::HasFailure()) Check(*connection);
  }
  void Check(duckdb::Connection& connection) {
    const auto run = [&](const std::string& sql) { return TiersModelTest::Run(connection, sql); };
    run("BEGIN");
    const std::string first = run("SELECT * FROM tiered ORDER BY id");
    EXPECT_FALSE(first.starts_with("error")) << first;
    for (uint64_t left = 1 + random_() % 3; left > 0; --left) {
      for (const std::string& query : Queries()) {
        std::string sql[2] = {query, query};
        for (int i = 0; i < 2; ++i) sql[i].replace(sql[i].find('$'), 1, kTables[i]);
        EXPECT_EQ(run(sql[0]), run(sql[1])) << query;
      }
      const std::string expired_rows = std::string("SELECT count(*) FROM (SELECT * FROM tiered WHERE NOT ") + kFresh +
                                       " EXCEPT ALL SELECT * FROM hot WHERE NOT " + kFresh + ")";
      EXPECT_EQ(run(expired_rows), "0");
    }
    EXPECT_EQ(run("SELECT * FROM tiered ORDER BY id"), first) << "the snapshot has changed";
    run("ROLLBACK");
    ++checks_;
  }
  int checks() const { return checks_; }

 private:
  std::vector<std::string> Queries() {
    const std::string fresh = std::string(" FROM $ WHERE ") + kFresh;
    const std::string id = std::to_string(random_() % (kKeys * kWriters));
    return {"SELECT *" + fresh + " ORDER BY id",
            "SELECT *" + fresh + " ORDER BY id DESC LIMIT 7",
            "SELECT count(*), sum(n), min(note)" + fresh,
            "SELECT note, count(*)" + fresh + " GROUP BY note ORDER BY note",
            "SELECT *" + fresh + " AND id = " + id,
            "SELECT n" + fresh + " AND id > " + id + " AND n < 500 ORDER BY id LIMIT 5"};
  }

  TiersModelTest& test_;
  std::mt19937_64 random_;
  int checks_ = 0;
};

TEST_F(TiersModelTest, WritersBesideQueriesAndMoves) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  ASSERT_EQ(Run("CALL yarrow_set('deleted_file_retention', '0')"), "deleted_file_retention|0");
  const std::string columns = " (id BIGINT PRIMARY KEY, n BIGINT, note VARCHAR, seen TIMESTAMP)";
  ASSERT_EQ(Run("CREATE TABLE tiered" + columns + " WITH (flush_rows = 50, ttl_column = 'seen', ttl = '1 day')"), "");
  ASSERT_EQ(Run("CREATE TABLE hot" + columns), "");
  std::vector<std::unique_ptr<Writer>> writers;
  writers.push_back(std::make_unique<SqlWriter>(this, 0, seed));
  writers.push_back(std::make_unique<SqlWriter>(this, 1, seed + 1));
  writers.push_back(std::make_unique<ApiWriter>(this, 2, seed + 2));
  Mover mover(this, seed + 3);
  Checker checker(this, seed + 4);
  const int rounds = test::Rounds(4);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Run(std::string("CALL yarrow_set('rows_to_segment', '") + (round % 2 == 0 ? "2" : "0") + "')");
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (const auto& writer : writers) threads.emplace_back([&] { writer->Run(40); });
    std::thread moving([&] { mover.Run(stop); }), checking([&] { checker.Run(stop); });
    for (std::thread& thread : threads) thread.join();
    stop = true;
    moving.join();
    checking.join();
    checker.Check(*connection_);
    ASSERT_OK_AND_ASSIGN(const CheckReport report, database_->Check());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    Reopen();
  }
  for (const auto& writer : writers) EXPECT_GT(writer->commits(), 2 * rounds);
  EXPECT_GT(mover.moves(), 2 * rounds);
  EXPECT_GE(checker.checks(), rounds);
}

}  // namespace
}  // namespace yarrow
