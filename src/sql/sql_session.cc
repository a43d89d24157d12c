#include "sql/sql_session.h"

#include <arrow/c/bridge.h>

#include <utility>

#include "sql/duckdb_instance.h"
#include "sql/ingest_function.h"
#include "sql/query_reader.h"
#include "sql/statement_retry.h"
#include "sql/use_database.h"
#include "store/home_process.h"
#include "yarrow/sql.h"

namespace yarrow::sql {

using arrow::Status;

struct SqlSession::Impl {
  std::unique_ptr<duckdb::DuckDB> duckdb;
  std::unique_ptr<duckdb::Connection> connection;

  // Runs a statement, and again when it lost a race.
  duckdb::unique_ptr<duckdb::QueryResult> Send(duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    // SELECT has no races to lose.
    if (statement->type == duckdb::StatementType::SELECT_STATEMENT) return connection->SendQuery(std::move(statement));
    StatementRetry retry(*connection->context);
    for (;;) {
      auto result = connection->SendQuery(statement->Copy());
      if (!result->HasError() || !retry.ShouldRunAgain(result->GetError())) return result;
    }
  }
};

SqlSession::SqlSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqlSession::~SqlSession() {
  DeleteAtHome()(impl_.release());
}

arrow::Result<std::unique_ptr<SqlSession>> SqlSession::Open(std::shared_ptr<Database> database,
                                                            const Options& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  auto impl = std::make_unique<Impl>();
  ARROW_RETURN_NOT_OK(Try([&] { impl->duckdb = OpenDuckDb(); }));
  ARROW_RETURN_NOT_OK(Attach(*impl->duckdb, std::move(database), "db", options));
  impl->connection = std::make_unique<duckdb::Connection>(*impl->duckdb);
  ARROW_RETURN_NOT_OK(Try([&] { UseDatabase(*impl->connection->context, "db"); }));
  return std::unique_ptr<SqlSession>(new SqlSession(std::move(impl)));
}

Status SqlSession::Run(const std::string& script, const OnResult& on_result, NestedValues nested) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements;
  ARROW_RETURN_NOT_OK(Try([&] { statements = impl_->connection->ExtractStatements(script); }));
  for (auto& statement : statements) {
    duckdb::unique_ptr<duckdb::QueryResult> result;
    ARROW_RETURN_NOT_OK(Try([&] { result = impl_->Send(std::move(statement)); }));
    if (result->HasError()) return ToStatus(result->GetErrorObject());
    SqlResult done;
    done.is_query = result->properties.return_type == duckdb::StatementReturnType::QUERY_RESULT;
    ARROW_ASSIGN_OR_RAISE(done.rows, QueryReader::Make(std::move(result), nested));
    ARROW_RETURN_NOT_OK(on_result(done));
  }
  return Status::OK();
}

namespace {

// The caller's reader, for one statement: DuckDB keeps what is left of one that failed for longer.
class LentReader : public arrow::RecordBatchReader {
 public:
  explicit LentReader(arrow::RecordBatchReader* rows) : schema_(rows->schema()), rows_(rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (rows_ == nullptr) return Status::Invalid("The rows were given back");
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    return *batch == nullptr ? Status::OK() : CheckTypes(**batch);
  }
  void GiveBack() { rows_ = nullptr; }

 private:
  // DuckDB reads arrays as of the stream's types, without a look at their own.
  Status CheckTypes(const arrow::RecordBatch& batch) const {
    for (int i = 0; i < batch.num_columns(); ++i) {
      const auto& wanted = schema_->field(i)->type();
      if (batch.column(i)->type()->Equals(*wanted)) continue;
      return Status::TypeError("column ", schema_->field(i)->name(), ": a batch has type ",
                               batch.column(i)->type()->ToString(), ", and its stream ", wanted->ToString());
    }
    return Status::OK();
  }

  const std::shared_ptr<arrow::Schema> schema_;
  arrow::RecordBatchReader* rows_;
};

}  // namespace

arrow::Result<int64_t> SqlSession::Insert(const QualifiedName& table, arrow::RecordBatchReader* rows, bool replace) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ArrowArrayStream stream = {};
  const auto lent = std::make_shared<LentReader>(rows);
  ARROW_RETURN_NOT_OK(arrow::ExportRecordBatchReader(lent, &stream));
  const auto quoted = [](const std::string& name) { return duckdb::KeywordHelper::WriteQuoted(name, '"'); };
  const std::string statement = std::string(replace ? "INSERT OR REPLACE INTO db." : "INSERT INTO db.") +
                                quoted(table.schema_name) + "." + quoted(table.name) + " BY NAME " +
                                IngestStream::kSelect;
  duckdb::unique_ptr<duckdb::QueryResult> result;
  ARROW_RETURN_NOT_OK(Try([&] {
    const IngestStream given(*impl_->connection->context, &stream);
    result = impl_->connection->Query(statement);
  }));
  lent->GiveBack();
  if (stream.release != nullptr) stream.release(&stream);
  if (result->HasError()) return ToStatus(result->GetErrorObject());
  return result->Cast<duckdb::MaterializedQueryResult>().GetValue<int64_t>(0, 0);
}

bool SqlSession::InTransaction() const {
  return HomeProcess::IsHome() && impl_->connection->HasActiveTransaction();
}

void SqlSession::Interrupt() {
  if (!HomeProcess::IsHome()) return;
  CancelFromNowOn(*impl_->connection);
}

void SqlSession::EndInterrupt() {
  if (HomeProcess::IsHome()) EndCancel(*impl_->connection);
}

}  // namespace yarrow::sql
