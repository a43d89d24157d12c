// The --where expressions of `yarrow scan`: SQL predicates over one table's columns.
//
//   predicate  = conjunction { OR conjunction }
//   conjunction = negation { AND negation }
//   negation   = [NOT] ( "(" predicate ")" | test )
//   test       = operand ( = | == | != | <> | < | <= | > | >= ) operand         one operand at least a column
//              | column [NOT] BETWEEN literal AND literal
//              | column [NOT] IN "(" literal { "," literal } ")"
//              | column [NOT] LIKE 'pattern'
//              | column IS [NOT] NULL
//              | column | TRUE | FALSE | NULL                                   a column of booleans
//   literal    = number | 'text' | TRUE | FALSE | NULL | DATE 'text' | TIME 'text' | TIMESTAMP 'text'
//   column     = name | "name"
//
// A name without quotes finds a column of just that name, or else one that differs only in case. A literal is read as a
// value of the type of the column beside it: month = '1' and month = 1 are the same.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <string_view>

namespace yarrow::cli {

// The filter for ScanOptions, with SQL's three-valued logic. Invalid, saying the position and what was expected there;
// for an unknown column with those there are.
arrow::Result<arrow::compute::Expression> ParseWhere(std::string_view text, const arrow::Schema& schema);

}  // namespace yarrow::cli
