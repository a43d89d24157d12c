#include "sql/table_query.h"

#include <arrow/array.h>
#include <duckdb/main/prepared_statement.hpp>
#include <duckdb/main/profiling_node.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sql/arrow_types.h"
#include "sql/duckdb_instance.h"
#include "sql/query_reader.h"
#include "sql/statement_retry.h"
#include "store/home_process.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

using arrow::Status;
using ParsedPtr = duckdb::unique_ptr<duckdb::ParsedExpression>;

constexpr const char* kDatabaseName = "db";

// DuckDB shows where in the statement an error is, but nobody has written that statement.
Status WithoutStatement(const Status& status) {
  std::string message = status.message().substr(0, status.message().find("\n\nLINE "));
  for (size_t at = message.find('\n'); at != std::string::npos; at = message.find('\n', at))
    message.replace(at, 1, " ");
  return status.WithMessage(message);
}

Status NotOneExpression(const std::string& condition) {
  return Status::Invalid("'", condition, "' is not one expression");
}

// The expression that the text is, if it is one and nothing else: no list, no name, no clause behind it.
arrow::Result<ParsedPtr> ParseCondition(const std::string& text, duckdb::ClientContext& context) {
  duckdb::Parser parser(context.GetParserOptions());
  ARROW_RETURN_NOT_OK(Try([&] { parser.ParseQuery("SELECT " + text); }));
  if (parser.statements.size() != 1 || parser.statements[0]->type != duckdb::StatementType::SELECT_STATEMENT) {
    return NotOneExpression(text);
  }
  auto& select = parser.statements[0]->Cast<duckdb::SelectStatement>();
  if (select.node->type != duckdb::QueryNodeType::SELECT_NODE) return NotOneExpression(text);
  auto& node = select.node->Cast<duckdb::SelectNode>();
  const bool has_clauses = node.from_table->type != duckdb::TableReferenceType::EMPTY_FROM || node.where_clause ||
                           !node.groups.group_expressions.empty() || node.having || node.qualify || node.sample ||
                           !node.modifiers.empty() || !node.cte_map.map.empty() ||
                           node.aggregate_handling != duckdb::AggregateHandling::STANDARD_HANDLING;
  if (has_clauses || node.select_list.size() != 1 || !node.select_list[0]->GetAlias().empty()) {
    return NotOneExpression(text);
  }
  return std::move(node.select_list[0]);
}

ParsedPtr Column(const std::string& name) {
  return duckdb::make_uniq<duckdb::ColumnRefExpression>(name);
}

duckdb::unique_ptr<duckdb::SelectNode> SelectFrom(const TableDefinition& table) {
  auto from = duckdb::make_uniq<duckdb::BaseTableRef>();
  from->catalog_name = kDatabaseName;
  from->schema_name = table.schema_name;
  from->table_name = table.name;
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  node->from_table = std::move(from);
  return node;
}

duckdb::unique_ptr<duckdb::SelectStatement> Statement(duckdb::unique_ptr<duckdb::SelectNode> node) {
  auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
  statement->node = std::move(node);
  return statement;
}

// The key's columns, or the row id of a table without a key.
std::vector<std::string> OrderOf(const TableDefinition& table) {
  if (table.has_hidden_row_id() || table.primary_key.empty()) return {"rowid"};
  std::vector<std::string> names;
  for (const uint32_t id : table.primary_key) {
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(), [id](const auto& c) { return c.id == id; });
    names.push_back(found->name);
  }
  return names;
}

// Adds up a figure of the scans below.
void AddFigures(const duckdb::ProfilingNode& node, ScanMetrics* sum) {
  const auto& metrics = node.GetProfilingInfo().metrics;
  const auto found = metrics.find(duckdb::MetricType::EXTRA_INFO);
  if (found != metrics.end()) {
    for (const duckdb::Value& entry : duckdb::MapValue::GetChildren(found->second)) {
      const auto& pair = duckdb::StructValue::GetChildren(entry);
      const std::string name = pair[0].ToString(), text = pair[1].ToString();
      uint64_t figure = 0;
      std::from_chars(text.data(), text.data() + text.size(), figure);
      if (name == "Rows visited") sum->rows_visited += figure;
      if (name == "Rows passed") sum->rows_passed += figure;
      if (name == "Bytes visited") sum->bytes_visited += figure;
      if (name == "Bytes decoded") sum->bytes_decoded += figure;
    }
  }
  for (const auto& child : node.children) AddFigures(*child, sum);
}

}  // namespace

struct TableQuery::Impl {
  std::shared_ptr<const TableDefinition> table;
  TableSelection selection;
  std::unique_ptr<duckdb::DuckDB> duckdb;
  std::unique_ptr<duckdb::Connection> connection;
  ParsedPtr condition;

  Status Set(const std::string& setting) {
    const auto result = connection->Query("SET " + setting);
    return result->HasError() ? ToStatus(result->GetErrorObject()) : Status::OK();
  }

  Status BindCondition() {
    auto parsed = ParseCondition(selection.condition, *connection->context);
    if (!parsed.ok()) return WithoutStatement(parsed.status());
    condition = *std::move(parsed);
    return CheckType();
  }

  Status CheckType() {
    auto node = SelectFrom(*table);
    node->select_list.push_back(condition->Copy());
    const auto prepared = connection->Prepare(Statement(std::move(node)));
    if (prepared->HasError()) return WithoutStatement(ToStatus(prepared->error));
    for (const duckdb::LogicalType& type : prepared->GetTypes()) {
      if (type.id() == duckdb::LogicalTypeId::BOOLEAN) continue;
      return Status::Invalid("'", selection.condition, "' is no condition: it is of type ", type.ToString(),
                             ", not BOOLEAN");
    }
    return Status::OK();
  }

  ParsedPtr Answered(const std::string& name) {
    const auto column = std::ranges::find(table->columns, name, &ColumnDefinition::name);
    const bool is_other = column != table->columns.end() && column->type.is_nested() && !IsNestedOfArrow(column->type);
    if (!selection.as_json || !is_other) return Column(name);
    duckdb::vector<ParsedPtr> arguments;
    arguments.push_back(Column(name));
    // A VARIANT is JSON by a cast; to_json makes a text of it.
    if (column->type.id == TypeId::kVariant) {
      return duckdb::make_uniq<duckdb::CastExpression>(duckdb::LogicalType::JSON(), Column(name));
    }
    auto json = duckdb::make_uniq<duckdb::FunctionExpression>("to_json", std::move(arguments));
    json->SetAlias(name);
    return json;
  }

  duckdb::unique_ptr<duckdb::SelectStatement> MakeSelect() {
    auto node = SelectFrom(*table);
    for (const std::string& name : selection.columns) node->select_list.push_back(Answered(name));
    // All that rows have: a star would bring generated columns, too.
    for (size_t i = 0; selection.columns.empty() && i < table->visible_columns(); ++i) {
      node->select_list.push_back(Answered(table->columns[i].name));
    }
    if (condition) node->where_clause = condition->Copy();
    auto order = duckdb::make_uniq<duckdb::OrderModifier>();
    const auto direction = selection.reverse ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING;
    for (const std::string& name : OrderOf(*table)) {
      // By the table's name, as a column of the result may have another's.
      auto column = duckdb::make_uniq<duckdb::ColumnRefExpression>(name, table->name);
      order->orders.emplace_back(direction, duckdb::OrderByNullType::ORDER_DEFAULT, std::move(column));
    }
    node->modifiers.push_back(std::move(order));
    if (selection.limit) {
      auto limit = duckdb::make_uniq<duckdb::LimitModifier>();
      limit->limit = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BIGINT(*selection.limit));
      node->modifiers.push_back(std::move(limit));
    }
    return Statement(std::move(node));
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Send(duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    auto result = connection->SendQuery(std::move(statement));
    if (result->HasError()) return WithoutStatement(ToStatus(result->GetErrorObject()));
    return QueryReader::Make(std::move(result), NestedValues::kAsArrow);
  }
};

TableQuery::TableQuery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TableQuery::~TableQuery() {
  DeleteAtHome()(impl_.release());
}

arrow::Result<std::unique_ptr<TableQuery>> TableQuery::Open(std::shared_ptr<Database> database, const Options& options,
                                                            const TableDefinition& table, TableSelection selection) {
  auto impl = std::make_unique<Impl>();
  impl->table = std::make_shared<const TableDefinition>(table);
  impl->selection = std::move(selection);
  ARROW_RETURN_NOT_OK(Try([&] { impl->duckdb = OpenDuckDb(); }));
  ARROW_RETURN_NOT_OK(Attach(*impl->duckdb, std::move(database), kDatabaseName, options));
  impl->connection = std::make_unique<duckdb::Connection>(*impl->duckdb);
  const auto used = impl->connection->Query(std::string("USE ") + kDatabaseName);
  if (used->HasError()) return ToStatus(used->GetErrorObject());
  ARROW_RETURN_NOT_OK(impl->Set("TimeZone = 'UTC'"));
  if (impl->selection.threads > 0) {
    ARROW_RETURN_NOT_OK(impl->Set("threads = " + std::to_string(impl->selection.threads)));
  }
  if (!impl->selection.condition.empty()) ARROW_RETURN_NOT_OK(impl->BindCondition());
  if (impl->selection.count) ARROW_RETURN_NOT_OK(impl->Set("enable_profiling = 'no_output'"));
  return std::unique_ptr<TableQuery>(new TableQuery(std::move(impl)));
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> TableQuery::Run() {
  return impl_->Send(impl_->MakeSelect());
}

void TableQuery::Cancel() {
  CancelFromNowOn(*impl_->connection);
}

ScanMetrics TableQuery::metrics() const {
  ScanMetrics sum;
  if (const auto root = impl_->connection->GetProfilingTree()) AddFigures(*root, &sum);
  return sum;
}

arrow::Result<std::string> TableQuery::Explain() {
  ARROW_ASSIGN_OR_RAISE(const auto rows, impl_->Send(duckdb::make_uniq<duckdb::ExplainStatement>(impl_->MakeSelect())));
  std::string text;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return text;
    const auto& plans = static_cast<const arrow::StringArray&>(*batch->column(1));
    for (int64_t i = 0; i < plans.length(); ++i) text += plans.GetString(i);
  }
}

}  // namespace yarrow::sql
