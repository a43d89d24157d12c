#include "sql/error_class.h"

#include <algorithm>
#include <iterator>

#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

// Appendix A of PostgreSQL's manual has the codes.
constexpr ErrorClass kClasses[] = {
    {"Binder", "42000"},
    {"Catalog", "42704"},
    {"Connection", "08000"},
    {"Constraint", "23000"},
    {"Conversion", "22018"},
    {"Decimal", "22003"},
    {"Dependency", "2BP01"},
    {"Divide by Zero", "22012"},
    {"Executor", "XX000"},
    {"Expression", "42000"},
    {"Extension Autoloading", "58000"},
    {"FATAL", "XX000"},
    {"HTTP", "08000"},
    {"Index", "XX000"},
    {"INTERNAL", "XX000"},
    {"INTERRUPT", "57014"},
    {"Invalid", "22023"},
    {"Invalid Configuration", "F0000"},
    {"Invalid Input", "22023"},
    {"Invalid type", "42804"},
    {"IO", "58030"},
    {"Mismatch Type", "42804"},
    {"Missing Extension", "58000"},
    {"Not implemented", "0A000"},
    {"NullPointer", "XX000"},
    {"Object Size", "54000"},
    {"Optimizer", "XX000"},
    {"Out of Memory", "53200"},
    {"Out of Range", "22003"},
    {"Parameter Not Allowed", "42000"},
    {"Parameter Not Resolved", "42P18"},
    {"Parser", "42601"},
    {"Permission", "42501"},
    {"Planner", "42000"},
    {"Scheduler", "XX000"},
    {"Sequence", "2200H"},
    {"Serialization", "XX000"},
    {"Settings", "42000"},
    {"Stat", "XX000"},
    {"Syntax", "42601"},
    {"TransactionContext", "25000"},
    {"Unknown Type", "42704"},
};

// Errors of a class whose message has both texts. The first that fits counts.
struct Special {
  std::string_view name;
  std::string_view text;
  std::string_view other;  // empty: no matter what else
  std::string_view sqlstate;
};
constexpr Special kSpecials[] = {
    {"Constraint", "NOT NULL constraint failed", "", "23502"},
    {"Constraint", "CHECK constraint failed", "", "23514"},
    {"Constraint", "Incorrect value for generated column", "", "23514"},
    {"Constraint", "Duplicate key", "", "23505"},
    {"Constraint", "PRIMARY KEY or UNIQUE constraint", "", "23505"},
    {"Constraint", "Data contains duplicates", "", "23505"},
    {"Constraint", "foreign key", "", "23503"},
    {"TransactionContext", "run the transaction again", "", "40001"},
    {"TransactionContext", "onflict", "", "40001"},
    {"TransactionContext", "is aborted", "", "25P02"},
    {"TransactionContext", "nothing was committed", "", "25P02"},
    {"TransactionContext", "no transaction is active", "", "25P01"},
    {"TransactionContext", "within a transaction", "", "25001"},
    {"Invalid Input", "read-only mode", "", "25006"},
    {"Invalid Input", "prepared statement parameters", "", "07001"},
    {"Invalid Input", "Parameter", "count mismatch", "07001"},
    {"Catalog", "Schema with name", "already exists", "42P06"},
    {"Catalog", "already exists", "", "42P07"},
    {"Catalog", "Schema with name", "", "3F000"},
    {"Catalog", "Function with name", "", "42883"},
    {"Catalog", "Table with name", "", "42P01"},
    {"Catalog", "View with name", "", "42P01"},
    {"Catalog", "Sequence with name", "", "42P01"},
    {"Catalog", "Duplicate field", "", "42701"},
    {"Catalog", "depend", "", "2BP01"},
    {"Binder", "Ambiguous reference to column", "", "42702"},
    {"Binder", "Referenced column", "", "42703"},
    {"Binder", "does not have a column", "", "42703"},
    {"Binder", "Referenced table", "", "42P01"},
    {"Binder", "No function matches", "", "42883"},
    {"Binder", "GROUP BY", "", "42803"},
    {"Binder", "Catalog", "does not exist", "3D000"},
};

constexpr std::string_view kAfterClass = " Error: ";

}  // namespace

ErrorClass ClassOf(std::string_view message) {
  const size_t end = message.find(kAfterClass);
  if (end == std::string_view::npos) return {};
  const std::string_view name = message.substr(0, end);
  const auto known = std::ranges::find(kClasses, name, &ErrorClass::name);
  if (known == std::end(kClasses)) return {};
  const auto special = std::ranges::find_if(kSpecials, [&](const Special& one) {
    return one.name == name && message.find(one.text) != std::string_view::npos &&
           message.find(one.other) != std::string_view::npos;
  });
  return {known->name, special == std::end(kSpecials) ? known->sqlstate : special->sqlstate};
}

std::string SqlState(std::string_view message) {
  return std::string(ClassOf(message).sqlstate);
}

}  // namespace yarrow::sql
