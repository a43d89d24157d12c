// RowExpression: a value that SQL, above the rows, computes from columns of a row. Entries of indexes have such values.
#pragma once

#include <arrow/result.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "row/row_schema.h"
#include "yarrow/value.h"

namespace yarrow {

// As the store has it: a whole key, and what is under the key.
struct StoredRow {
  std::string_view key, row;
};

// Thread-safe.
class RowExpression {
 public:
  virtual ~RowExpression() = default;
  // Of the values of the arguments. The same ones give the same value, in every process and session. An error, in SQL's
  // words, for what the expression has no value for. In the exact form of the type.
  virtual arrow::Result<Value> Evaluate(std::span<const Value> arguments) const = 0;
  // One value a row, of the columns at these positions of the schema as arguments. Takes less time a row than Evaluate.
  virtual arrow::Result<std::vector<Value>> EvaluateRows(const std::shared_ptr<const RowSchema>& schema,
                                                         std::span<const int> positions,
                                                         std::span<const StoredRow> rows) const = 0;
  // What SQL's compiler made, behind this; lives as long.
  virtual arrow::Result<const RowExpression*> Compiled() const { return this; }
};

struct RowExpressionSpec {
  struct Argument {
    std::string name;
    ColumnType type;
  };
  std::string sql;  // over the arguments by name
  ColumnType type;
  std::vector<Argument> arguments;
};

// SQL's part: makes an expression ready, or says why it cannot be.
using RowExpressionCompiler = arrow::Result<std::shared_ptr<const RowExpression>> (*)(const RowExpressionSpec& spec);
// Of the whole process. Thread-safe.
void SetRowExpressionCompiler(RowExpressionCompiler compiler);

// Compiled when a value is first asked for; shared by all that have the same spec. NotImplemented, by Evaluate, as long
// as there is no compiler.
std::shared_ptr<const RowExpression> OpenRowExpression(RowExpressionSpec spec);

}  // namespace yarrow
