// MERGE INTO: the operator that ends such plans. INSERT ... ON CONFLICT comes here as the MERGE INTO that DuckDB's
// binder makes of it.
//
// The first WHEN clause whose condition holds takes a row, and a row of the table is changed, counted and returned
// once: by the first pair with a row of the source that changes it. DuckDB's own operator counts and returns each pair;
// and its parser puts a clause without condition behind the others of its kind, wherever it stood. So where it stood is
// read from the text of the statement: those behind it have no row left to take.
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/sql_error.h"
#include "sql/write_operator.h"

namespace yarrow::sql {
namespace {

using duckdb::MergeActionCondition;
using duckdb::MergeActionType;
using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

// One WHEN ... THEN.
struct MergeClause {
  MergeActionType action;
  MergeActionCondition when;
  duckdb::unique_ptr<duckdb::Expression> condition;  // null: every row
  Expressions values;                                // of INSERT: one for each column; of ERROR: its text, if any
  std::unique_ptr<Assignment> assignment;            // of UPDATE
};

// How many clauses with a condition stand before the one of their kind without, by kind; nothing: none without.
using ClausesBefore = std::array<std::optional<size_t>, 3>;

// The words and brackets of a statement, in capitals; strings and quoted names are empty.
std::vector<std::string> WordsOf(const std::string& query) {
  std::vector<std::string> words;
  for (const duckdb::SimplifiedToken& token : duckdb::Parser::Tokenize(query)) {
    if (token.type == duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_COMMENT) continue;
    std::string word;
    if (token.type != duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_STRING_CONSTANT) {
      size_t end = token.start;
      while (end < query.size() && (std::isalnum(static_cast<unsigned char>(query[end])) != 0 || query[end] == '_'))
        ++end;
      word = duckdb::StringUtil::Upper(query.substr(token.start, std::max<size_t>(end - token.start, 1)));
    }
    words.push_back(std::move(word));
  }
  words.insert(words.end(), 6, "");  // what may be looked at behind the last
  return words;
}

// Of the MERGE in a text that has one.
ClausesBefore ReadClauses(const std::string& query) {
  ClausesBefore before;
  std::array<size_t, 3> conditional{};
  const std::vector<std::string> words = WordsOf(query);
  int brackets = 0, cases = 0;
  for (size_t i = 0; i + 6 < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "(" || word == "[" || word == "{") ++brackets;
    if (word == ")" || word == "]" || word == "}") --brackets;
    if (word == "CASE") ++cases;
    if (word == "END" && cases > 0) --cases;
    const bool is_not = words[i + 1] == "NOT";
    size_t next = i + (is_not ? 3 : 2);
    if (word != "WHEN" || brackets > 0 || cases > 0 || words[next - 1] != "MATCHED") continue;
    auto kind = is_not ? MergeActionCondition::WHEN_NOT_MATCHED_BY_TARGET : MergeActionCondition::WHEN_MATCHED;
    if (words[next] == "BY") {
      if (words[next + 1] == "SOURCE") kind = MergeActionCondition::WHEN_NOT_MATCHED_BY_SOURCE;
      next += 2;
    }
    const auto at = static_cast<size_t>(kind);
    if (words[next] == "THEN") {
      before[at] = conditional[at];
    } else {
      ++conditional[at];
    }
  }
  return before;
}

// The text that is being run: of a prepared statement its own, for SQL's PREPARE does not take MERGE.
std::string CurrentQuery(ClientContext& context) {
  const bool runs =
      context.transaction.HasActiveTransaction() && context.transaction.GetActiveQuery() != duckdb::MAXIMUM_QUERY_ID;
  return runs ? context.GetCurrentQuery() : "";
}

// How one execution of a clause evaluates its expressions.
struct ClauseState {
  bool is_reachable = true;
  std::unique_ptr<duckdb::ExpressionExecutor> condition;
  std::unique_ptr<duckdb::ExpressionExecutor> values;
  DataChunk result;  // of values
};

struct MergeState : public WriteState {
  MergeState(SqlTransaction& in, std::shared_ptr<SqlTable> written, ClientContext& context,
             const std::vector<MergeClause>& clauses)
      : WriteState(in, std::move(written)), clause_states(clauses.size()) {
    ChangeRowsOnce();
    const ClausesBefore before = ReadClauses(CurrentQuery(context));
    std::array<size_t, 3> of_kind{};
    for (size_t i = 0; i < clauses.size(); ++i) {
      const MergeClause& clause = clauses[i];
      const auto kind = static_cast<size_t>(clause.when);
      clause_states[i].is_reachable = !clause.condition || !before[kind] || of_kind[kind]++ < *before[kind];
      if (clause.condition) {
        clause_states[i].condition = std::make_unique<duckdb::ExpressionExecutor>(context, *clause.condition);
      }
      if (clause.values.empty()) continue;
      clause_states[i].values = std::make_unique<duckdb::ExpressionExecutor>(context, clause.values);
      duckdb::vector<duckdb::LogicalType> types;
      for (const auto& value : clause.values) types.push_back(value->return_type);
      clause_states[i].result.Initialize(context, types);
    }
  }

  std::vector<ClauseState> clause_states;
};

// Rows of a chunk.
struct Selection {
  duckdb::SelectionVector rows{STANDARD_VECTOR_SIZE};
  duckdb::idx_t count = 0;
  void Add(duckdb::idx_t row) { rows.set_index(count++, row); }
};

class MergeOperator : public WriteOperator {
 public:
  MergeOperator(duckdb::PhysicalPlan& plan, ClientContext& context, duckdb::LogicalMergeInto& op,
                std::vector<MergeClause> clauses)
      : WriteOperator(plan, op.types, op.estimated_cardinality, op.table.catalog, TableOf(op.table), op.return_chunk,
                      RowChecks(context, op.table, op.bound_constraints)),
        clauses_(std::move(clauses)),
        row_id_(op.row_id_start),
        source_marker_(op.source_marker) {}
  duckdb::string GetName() const override { return "YARROW_MERGE_INTO"; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    return MakeState<MergeState>(context, table_, context, clauses_);
  }

  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    auto& state = input.global_state.Cast<MergeState>();
    const std::lock_guard writing(state.transaction.write_mutex());
    std::array<Selection, 3> kinds;
    for (duckdb::idx_t row = 0; row < chunk.size(); ++row) kinds[static_cast<size_t>(KindOf(chunk, row))].Add(row);
    DataChunk left;
    for (size_t kind = 0; kind < kinds.size(); ++kind) {
      if (kinds[kind].count == 0) continue;
      Slice(chunk, kinds[kind], &left);
      Merge(context.client, state, static_cast<MergeActionCondition>(kind), left);
    }
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, ClientContext&,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    auto& state = input.global_state.Cast<MergeState>();
    const std::lock_guard writing(state.transaction.write_mutex());
    Check(state.changes.FinishUpdates(state.impl()));
    if (state.inserted) {
      state.rows += state.inserted->rows();
      Check(state.changes.Insert(state.impl(), state.inserted.get()));
      state.inserted.reset();
    }
    state.FlushReturned();
    Check(state.transaction.impl().FinishStatement());
    return duckdb::SinkFinalizeType::READY;
  }

 private:
  MergeActionCondition KindOf(const DataChunk& chunk, duckdb::idx_t row) const {
    if (source_marker_.IsValid() && chunk.GetValue(source_marker_.GetIndex(), row).IsNull()) {
      return MergeActionCondition::WHEN_NOT_MATCHED_BY_SOURCE;
    }
    return chunk.GetValue(row_id_, row).IsNull() ? MergeActionCondition::WHEN_NOT_MATCHED_BY_TARGET
                                                 : MergeActionCondition::WHEN_MATCHED;
  }

  static void Slice(const DataChunk& from, const Selection& selection, DataChunk* to) {
    auto sliced = duckdb::make_uniq<DataChunk>();
    sliced->InitializeEmpty(from.GetTypes());
    sliced->Slice(from, selection.rows, selection.count);
    to->Destroy();
    to->Move(*sliced);
  }

  // Gives each row to the first clause that takes it.
  void Merge(ClientContext& context, MergeState& state, MergeActionCondition kind, DataChunk& left) const {
    for (size_t i = 0; i < clauses_.size() && left.size() > 0; ++i) {
      if (clauses_[i].when != kind || !state.clause_states[i].is_reachable) continue;
      if (!clauses_[i].condition) return Act(context, state, i, left);
      Selection taken, others;
      taken.count =
          state.clause_states[i].condition->SelectExpression(left, taken.rows, others.rows, nullptr, left.size());
      others.count = left.size() - taken.count;
      if (taken.count == 0) continue;
      DataChunk rows;
      Slice(left, taken, &rows);
      Act(context, state, i, rows);
      if (others.count == 0) return;
      Slice(left, others, &left);
    }
  }

  void Act(ClientContext& context, MergeState& state, size_t number, DataChunk& rows) const {
    const MergeClause& clause = clauses_[number];
    switch (clause.action) {
      case MergeActionType::MERGE_UPDATE:
        return Update(context, state, *clause.assignment, rows);
      case MergeActionType::MERGE_DELETE:
        return DeleteRows(state, rows, row_id_, "DELETE");
      case MergeActionType::MERGE_INSERT:
        return Insert(context, state, Values(state, number, rows));
      case MergeActionType::MERGE_ERROR:
        return Fail(clause, clause.values.empty() ? nullptr : &Values(state, number, rows));
      case MergeActionType::MERGE_DO_NOTHING:
        return;
    }
  }

  void Update(ClientContext& context, MergeState& state, const Assignment& assignment, DataChunk& rows) const {
    DataChunk updated;
    assignment.MakeRows(context, rows, &updated);
    checks_.Test(context, updated);
    assignment.Apply(state, rows, updated, row_id_, "UPDATE");
  }

  static DataChunk& Values(MergeState& state, size_t number, DataChunk& rows) {
    ClauseState& clause = state.clause_states[number];
    clause.result.Reset();
    clause.values->Execute(rows, clause.result);
    return clause.result;
  }

  void Insert(ClientContext& context, MergeState& state, DataChunk& values) const {
    if (!state.inserted) state.inserted = std::make_unique<RowIntake>(state.impl(), kSortBufferBytes);
    values.Flatten();
    checks_.Test(context, values);
    AddChunk(context, state.impl(), values, state.inserted.get());
    if (!state.returned) return;
    state.FlushReturned();
    DataChunk returned;
    returned.InitializeEmpty(types);
    for (duckdb::idx_t c = 0; c < values.ColumnCount(); ++c) returned.data[c].Reference(values.data[c]);
    returned.data.back().Reference(duckdb::Value("INSERT"));
    returned.SetCardinality(values.size());
    state.returned->Append(returned);
  }

  [[noreturn]] static void Fail(const MergeClause& clause, const DataChunk* text) {
    std::string message = duckdb::MergeIntoStatement::ActionConditionToString(clause.when);
    if (clause.condition) message += " AND " + clause.condition->ToString();
    if (text != nullptr) message += ": " + text->GetValue(0, 0).ToString();
    throw duckdb::ConstraintException("Merge error condition %s", message);
  }

  const std::vector<MergeClause> clauses_;    // of each kind in the order of the statement
  const duckdb::idx_t row_id_;                // columns of the input: keys of the rows, NULL without a row
  const duckdb::optional_idx source_marker_;  // NULL without a row of the source; not there when all have one
};

// The values of an INSERT, one for each column of the table.
Expressions InsertedValues(const duckdb::LogicalMergeInto& op, duckdb::BoundMergeIntoAction& action) {
  if (action.column_index_map.empty()) return std::move(action.expressions);
  Expressions values;
  for (const auto& column : op.table.GetColumns().Physical()) {
    const duckdb::idx_t given = action.column_index_map[column.Physical()];
    values.push_back(given == duckdb::DConstants::INVALID_INDEX ? op.bound_defaults[column.StorageOid()]->Copy()
                                                                : std::move(action.expressions[given]));
  }
  return values;
}

MergeClause MakeClause(const duckdb::LogicalMergeInto& op, MergeActionCondition when,
                       duckdb::BoundMergeIntoAction& action) {
  MergeClause clause{.action = action.action_type,
                     .when = when,
                     .condition = std::move(action.condition),
                     .values = {},
                     .assignment = {}};
  if (action.action_type == MergeActionType::MERGE_UPDATE && action.columns.empty()) {
    clause.action = MergeActionType::MERGE_DO_NOTHING;  // INSERT OR REPLACE ... BY NAME of a table that is all key
  } else if (action.action_type == MergeActionType::MERGE_UPDATE) {
    clause.assignment = std::make_unique<Assignment>(op.table, action.columns, action.expressions, op.bound_defaults);
  } else if (action.action_type == MergeActionType::MERGE_INSERT) {
    clause.values = InsertedValues(op, action);
  } else if (action.action_type == MergeActionType::MERGE_ERROR) {
    clause.values = std::move(action.expressions);
  }
  return clause;
}

}  // namespace

duckdb::PhysicalOperator& SqlCatalog::PlanMergeInto(ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                                    duckdb::LogicalMergeInto& op, duckdb::PhysicalOperator& plan) {
  std::vector<MergeClause> clauses;
  for (auto& [when, actions] : op.actions) {
    for (auto& action : actions) clauses.push_back(MakeClause(op, when, *action));
  }
  auto& merge = planner.Make<MergeOperator>(context, op, std::move(clauses));
  merge.children.push_back(plan);
  return merge;
}

}  // namespace yarrow::sql
