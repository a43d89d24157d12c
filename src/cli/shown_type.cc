#include "cli/shown_type.h"

#include <arrow/type.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

// `shown` with UHUGEINT in the places where `column` has it.
ColumnType WithUnsigned(ColumnType shown, const ColumnType& column) {
  if (shown.id == TypeId::kHugeint && column.id == TypeId::kUHugeint) return column;
  if (!shown.is_nested() || !column.is_nested()) return shown;
  // A UNION is shown as a struct of its tag and members.
  const bool is_union = column.id == TypeId::kUnion;
  const std::vector<TypeMember>& own = is_union ? LayoutOf(column).members() : column.members();
  std::vector<TypeMember> members = shown.members();
  if (members.size() != own.size()) return shown;
  for (size_t i = 0; i < members.size(); ++i) members[i].type = WithUnsigned(members[i].type, own[i].type);
  switch (shown.id) {
    case TypeId::kList:
      return ColumnType::List(members[0].type);
    case TypeId::kArray:
      return ColumnType::Array(members[0].type, shown.array_size());
    case TypeId::kMap:
      return ColumnType::Map(members[0].type, members[1].type);
    case TypeId::kStruct:
      return ColumnType::Struct(std::move(members));
    default:
      return shown;
  }
}

}  // namespace

arrow::Result<ColumnType> ShownType(const arrow::Field& field, const TableDefinition* table) {
  ARROW_ASSIGN_OR_RAISE(ColumnType shown, ColumnType::FromArrow(*field.type()));
  if (table == nullptr) return shown;
  const auto column = std::ranges::find(table->columns, field.name(), &ColumnDefinition::name);
  return column == table->columns.end() ? shown : WithUnsigned(std::move(shown), column->type);
}

}  // namespace yarrow::cli
