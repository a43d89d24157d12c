#include "sql/sequence.h"

#include <duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/function/function.hpp>
#include <duckdb/function/scalar/sequence_utils.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>
#include <duckdb/parser/parsed_data/create_sequence_info.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/transaction/duck_transaction.hpp>

#include <limits>
#include <utility>

#include "sql/sql_error.h"
#include "yarrow/value.h"

namespace yarrow::sql {
namespace {

using duckdb::CatalogType;
using duckdb::ClientContext;
using duckdb::FunctionData;
using Wide = Int128;

// How many steps of a size lead from one number to another, both included.
Wide Steps(int64_t from, int64_t to, int64_t size) {
  return (static_cast<Wide>(to) - from) / size + 1;
}

SequenceNumbers NumbersOf(const duckdb::CreateSequenceInfo& info) {
  return {.start = info.start_value,
          .increment = info.increment,
          .least = info.min_value,
          .greatest = info.max_value,
          .cycles = info.cycle};
}

}  // namespace

std::optional<int64_t> SequenceNumbers::Count() const {
  if (cycles) return std::nullopt;
  const Wide count = Steps(start, increment > 0 ? greatest : least, increment);
  constexpr Wide kMost = std::numeric_limits<int64_t>::max() - 1;
  return static_cast<int64_t>(count < kMost ? count : kMost);
}

int64_t SequenceNumbers::At(int64_t n) const {
  const int64_t first = increment > 0 ? least : greatest, last = increment > 0 ? greatest : least;
  Wide step = n - 1, from = start;
  if (const Wide of_first_round = Steps(start, last, increment); step >= of_first_round) {
    step = (step - of_first_round) % Steps(first, last, increment);
    from = first;
  }
  return static_cast<int64_t>(from + step * increment);
}

SqlSequence::SqlSequence(duckdb::Catalog& catalog_in, duckdb::SchemaCatalogEntry& schema_in,
                         duckdb::CreateSequenceInfo& info, std::shared_ptr<const ObjectEntry> object)
    : SequenceCatalogEntry(catalog_in, schema_in, info), object_(std::move(object)), numbers_(NumbersOf(info)) {}

int64_t SqlSequence::Take(int64_t count) {
  const std::optional<int64_t> all = numbers_.Count();
  if (!all) return Check(object_->numbers->Take(count));
  const auto first = Check(object_->numbers->TakeUpTo(*all, count));
  if (first) return *first;
  const bool goes_up = numbers_.increment > 0;
  throw duckdb::SequenceException("nextval: reached %s value of sequence \"%s\" (%lld)",
                                  goes_up ? "maximum" : "minimum", name, goes_up ? numbers_.greatest : numbers_.least);
}

int64_t SqlSequence::Last() const {
  const int64_t taken = Check(object_->numbers->Taken());
  if (taken == 0) throw duckdb::SequenceException("currval: sequence is not yet defined in this session");
  return numbers_.At(taken);
}

// DuckDB's data can only be brought where they are by taking a number, as DuckDB does: of a temporary sequence, for the
// others of which are logged.
std::shared_ptr<SqlSequence> SqlSequence::Show(ClientContext& context) const {
  const int64_t taken = Check(object_->numbers->Taken());
  duckdb::CreateSequenceInfo info;
  info.name = name;
  info.comment = comment;
  info.tags = tags;
  info.increment = numbers_.increment;
  info.min_value = numbers_.least;
  info.max_value = numbers_.greatest;
  info.start_value = numbers_.start;
  info.cycle = numbers_.cycles;
  auto shown = std::make_shared<SqlSequence>(const_cast<duckdb::Catalog&>(catalog),
                                             const_cast<duckdb::SchemaCatalogEntry&>(schema), info, object_);
  if (taken == 0) return shown;
  if (taken > 1) shown->ReplayValue(static_cast<uint64_t>(taken - 1), numbers_.At(taken));
  shown->temporary = true;
  try {
    shown->NextValue(duckdb::DuckTransaction::Get(context, duckdb::Catalog::GetSystemCatalog(context)));
  } catch (const duckdb::SequenceException&) {  // NOLINT(bugprone-empty-catch): the last number before an overflow
  }
  shown->temporary = false;
  return shown;
}

namespace {

// NextvalBindData, and the entry that it refers to: plans outlive their transaction.
struct SequenceUse : public duckdb::NextvalBindData {
  explicit SequenceUse(std::shared_ptr<SqlSequence> used) : NextvalBindData(*used), entry(std::move(used)) {}
  duckdb::unique_ptr<FunctionData> Copy() const override { return duckdb::make_uniq<SequenceUse>(entry); }

  const std::shared_ptr<SqlSequence> entry;
};

// DuckDB's own, which are the same in all instances.
struct DuckDbCallbacks {
  duckdb::bind_scalar_function_extended_t bind;
  duckdb::function_deserialize_t deserialize;
  duckdb::init_local_state_t init;
};
const DuckDbCallbacks& OfDuckDb(const duckdb::ScalarFunction* function = nullptr) {
  static const DuckDbCallbacks callbacks{function->GetBindExtendedCallback(), function->GetDeserializeCallback(),
                                         function->GetInitStateCallback()};
  return callbacks;
}

duckdb::unique_ptr<FunctionData> Keep(duckdb::unique_ptr<FunctionData> bound) {
  if (bound == nullptr) return bound;
  auto& sequence = bound->Cast<duckdb::NextvalBindData>().sequence;
  if (sequence.ParentCatalog().GetCatalogType() != "yarrow") return bound;
  return duckdb::make_uniq<SequenceUse>(sequence.Cast<SqlSequence>().shared_from_this());
}

duckdb::unique_ptr<FunctionData> Bind(duckdb::ScalarFunctionBindInput& input, duckdb::ScalarFunction& function,
                                      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  return Keep(OfDuckDb().bind(input, function, arguments));
}

duckdb::unique_ptr<FunctionData> Deserialize(duckdb::Deserializer& in, duckdb::ScalarFunction& function) {
  return Keep(OfDuckDb().deserialize(in, function));
}

duckdb::unique_ptr<duckdb::FunctionLocalState> Init(duckdb::ExpressionState& state,
                                                    const duckdb::BoundFunctionExpression& expression,
                                                    FunctionData* bound) {
  if (dynamic_cast<const SequenceUse*>(bound) != nullptr) return nullptr;
  return OfDuckDb().init(state, expression, bound);
}

// A plan with currval is made anew when the catalog has changed.
void RegisterRead(ClientContext& context, duckdb::FunctionModifiedDatabasesInput& input) {
  if (!input.bind_data) return;
  input.properties.RegisterDBRead(input.bind_data->Cast<duckdb::NextvalBindData>().sequence.ParentCatalog(), context);
}

void NextNumbers(SqlSequence& sequence, duckdb::idx_t count, duckdb::Vector& result) {
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  auto* numbers = duckdb::FlatVector::GetData<int64_t>(result);
  const int64_t first = sequence.Take(static_cast<int64_t>(count));
  for (duckdb::idx_t i = 0; i < count; ++i) numbers[i] = sequence.Number(first + static_cast<int64_t>(i));
}

void CurrentNumber(SqlSequence& sequence, duckdb::idx_t, duckdb::Vector& result) {
  result.Reference(duckdb::Value::BIGINT(sequence.Last()));
}

using Numbers = void (*)(SqlSequence& sequence, duckdb::idx_t count, duckdb::Vector& result);

duckdb::scalar_function_t Execute(Numbers numbers, duckdb::scalar_function_t of_duckdb) {
  return [=](duckdb::DataChunk& input, duckdb::ExpressionState& state, duckdb::Vector& result) {
    const auto& bound = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info;
    const auto* use = dynamic_cast<const SequenceUse*>(bound.get());
    if (use == nullptr) return of_duckdb(input, state, result);
    if (input.size() > 0) numbers(*use->entry, input.size(), result);
  };
}

void RegisterFunction(duckdb::DatabaseInstance& instance, const char* function_name, Numbers numbers) {
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(instance);
  auto& schema = duckdb::Catalog::GetSystemCatalog(instance).GetSchema(transaction, DEFAULT_SCHEMA);
  auto known = schema.GetEntry(transaction, CatalogType::SCALAR_FUNCTION_ENTRY, function_name);
  if (!known) throw duckdb::CatalogException("this DuckDB has no function %s", function_name);
  duckdb::ScalarFunction function = known->Cast<duckdb::ScalarFunctionCatalogEntry>().functions.GetFunctionByOffset(0);
  OfDuckDb(&function);
  function.SetFunctionCallback(Execute(numbers, function.GetFunctionCallback()));
  function.SetBindExtendedCallback(Bind);
  function.SetDeserializeCallback(Deserialize);
  function.SetInitStateCallback(Init);
  if (!function.HasModifiedDatabasesCallback()) function.SetModifiedDatabasesCallback(RegisterRead);
  duckdb::CreateScalarFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreateFunction(transaction, info);
}

}  // namespace

void RegisterSequenceFunctions(duckdb::DatabaseInstance& instance) {
  RegisterFunction(instance, "nextval", NextNumbers);
  RegisterFunction(instance, "currval", CurrentNumber);
}

}  // namespace yarrow::sql
