#include "sql/sql_session.h"

#include <arrow/c/bridge.h>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include <utility>

#include "sql/arrow_export.h"
#include "sql/duckdb_instance.h"
#include "sql/sql_type.h"
#include "sql/statement_retry.h"
#include "sql/use_database.h"
#include "store/home_process.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

using arrow::Status;

Status ToStatus(const duckdb::ErrorData& error) {
  if (error.Type() == duckdb::ExceptionType::INTERRUPT) return Status::Cancelled("cancelled");
  return Status::Invalid(error.Message());
}

// Runs code of DuckDB, whose errors are exceptions.
template <class Function>
Status Try(Function function) {
  try {
    function();
    return Status::OK();
  } catch (const std::exception& exception) {
    return ToStatus(duckdb::ErrorData(exception));
  }
}

class QueryReader : public arrow::RecordBatchReader {
 public:
  static arrow::Result<std::shared_ptr<QueryReader>> Make(duckdb::unique_ptr<duckdb::QueryResult> result) {
    std::shared_ptr<QueryReader> reader(new QueryReader(std::move(result)), DeleteAtHome());
    ARROW_RETURN_NOT_OK(Try([&] { reader->PlanTypes(); }));
    ArrowSchema exported;
    ARROW_RETURN_NOT_OK(Try([&] {
      duckdb::ArrowConverter::ToArrowSchema(&exported, reader->text_.GetTypes(), reader->result_->names,
                                            reader->layout_);
    }));
    ARROW_ASSIGN_OR_RAISE(reader->schema_, arrow::ImportSchema(&exported));
    return reader;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    ArrowArray exported;
    bool at_end = false;
    ARROW_RETURN_NOT_OK(Try([&] { at_end = !Export(&exported); }));
    if (at_end) return Status::OK();
    return arrow::ImportRecordBatch(&exported, schema_).Value(batch);
  }

 private:
  explicit QueryReader(duckdb::unique_ptr<duckdb::QueryResult> result)
      : result_(std::move(result)), layout_(ArrowLayout(result_->client_properties.client_context)) {}

  void PlanTypes() {
    duckdb::vector<duckdb::LogicalType> types;
    for (const duckdb::LogicalType& type : result_->types) {
      types.push_back(FromLogicalType(type).ok() ? type : duckdb::LogicalType::VARCHAR);
    }
    text_.Initialize(duckdb::Allocator::DefaultAllocator(), types);
  }

  bool Export(ArrowArray* exported) {
    if (next_row_ == text_.size() && !Fetch()) return false;
    const duckdb::idx_t rows = RowsOfArray(text_, result_->names, next_row_);
    *exported = ToArrowArray(text_, next_row_, rows, layout_);
    next_row_ += rows;
    return true;
  }

  bool Fetch() {
    chunk_ = result_->Fetch();
    if (result_->HasError()) result_->ThrowError();
    if (!chunk_ || chunk_->size() == 0) return false;
    text_.Reset();
    for (duckdb::idx_t i = 0; i < text_.ColumnCount(); ++i) {
      if (result_->types[i] == text_.data[i].GetType()) {
        text_.data[i].Reference(chunk_->data[i]);
      } else {
        duckdb::VectorOperations::DefaultCast(chunk_->data[i], text_.data[i], chunk_->size());
      }
    }
    text_.SetCardinality(chunk_->size());
    next_row_ = 0;
    return true;
  }

  duckdb::unique_ptr<duckdb::QueryResult> result_;
  duckdb::ClientProperties layout_;
  duckdb::unique_ptr<duckdb::DataChunk> chunk_;
  duckdb::DataChunk text_;  // the chunk, with text for types that stay with DuckDB
  duckdb::idx_t next_row_ = 0;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

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

Status SqlSession::Run(const std::string& script, const OnResult& on_result) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements;
  ARROW_RETURN_NOT_OK(Try([&] { statements = impl_->connection->ExtractStatements(script); }));
  for (auto& statement : statements) {
    duckdb::unique_ptr<duckdb::QueryResult> result;
    ARROW_RETURN_NOT_OK(Try([&] { result = impl_->Send(std::move(statement)); }));
    if (result->HasError()) return ToStatus(result->GetErrorObject());
    SqlResult done;
    done.is_query = result->properties.return_type == duckdb::StatementReturnType::QUERY_RESULT;
    ARROW_ASSIGN_OR_RAISE(done.rows, QueryReader::Make(std::move(result)));
    ARROW_RETURN_NOT_OK(on_result(done));
  }
  return Status::OK();
}

bool SqlSession::InTransaction() const {
  return HomeProcess::IsHome() && impl_->connection->HasActiveTransaction();
}

void SqlSession::Interrupt() {
  if (!HomeProcess::IsHome()) return;
  TellOfCancel(*impl_->connection->context);
  impl_->connection->Interrupt();
}

}  // namespace yarrow::sql
