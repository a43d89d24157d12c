#include "sql/struct_fields.h"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace yarrow::sql {
namespace {

using duckdb::AlterTableType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::ParsedExpression;
using duckdb::StringUtil;
using Fields = duckdb::child_list_t<LogicalType>;

// What DuckDB's remap_struct calls the parts of a nested type.
Fields PartsOf(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::LIST:
      return {{"list", duckdb::ListType::GetChildType(type)}};
    case LogicalTypeId::MAP:
      return {{"key", duckdb::MapType::KeyType(type)}, {"value", duckdb::MapType::ValueType(type)}};
    case LogicalTypeId::STRUCT:
      return duckdb::StructType::GetChildTypes(type);
    default:
      return {};
  }
}

LogicalType WithParts(const LogicalType& type, Fields parts) {
  switch (type.id()) {
    case LogicalTypeId::LIST:
      return LogicalType::LIST(parts[0].second);
    case LogicalTypeId::MAP:
      return LogicalType::MAP(parts[0].second, parts[1].second);
    default:
      return LogicalType::STRUCT(std::move(parts));
  }
}

duckdb::unique_ptr<ParsedExpression> Pack(std::string name, duckdb::unique_ptr<ParsedExpression> value) {
  value->SetAlias(std::move(name));
  duckdb::vector<duckdb::unique_ptr<ParsedExpression>> values;
  values.push_back(std::move(value));
  return duckdb::make_uniq<duckdb::FunctionExpression>("struct_pack", std::move(values));
}

// A nested type as it becomes, and two arguments of remap_struct.
struct Remade {
  LogicalType type;
  duckdb::child_list_t<duckdb::Value> sources;      // of each part that stays: where it comes from
  duckdb::unique_ptr<ParsedExpression> new_values;  // a struct of the parts that are new; null: none is
};

// One change at the end of a path of names, the first of which is the column's.
class FieldChange {
 public:
  explicit FieldChange(const duckdb::AlterTableInfo& info) {
    switch (info.alter_table_type) {
      case AlterTableType::ADD_FIELD: {
        const auto& add = info.Cast<duckdb::AddFieldInfo>();
        new_field_ = &add.new_field;
        if_possible_ = add.if_field_not_exists;
        path_.assign(add.column_path.begin(), add.column_path.end());
        path_.push_back(new_field_->Name());
        break;
      }
      case AlterTableType::REMOVE_FIELD: {
        const auto& remove = info.Cast<duckdb::RemoveFieldInfo>();
        if_possible_ = remove.if_column_exists;
        path_.assign(remove.column_path.begin(), remove.column_path.end());
        break;
      }
      default: {
        const auto& rename = info.Cast<duckdb::RenameFieldInfo>();
        new_name_ = &rename.new_name;
        path_.assign(rename.column_path.begin(), rename.column_path.end());
        break;
      }
    }
  }

  const std::string& column() const { return path_.front(); }

  // Of the value that path_[depth] names; nothing where the change is not possible and need not be.
  std::optional<Remade> Apply(const LogicalType& type, size_t depth = 0) const {
    if (PartsOf(type).empty()) ThrowNotNested(path_[depth]);
    return depth + 2 == path_.size() ? ApplyHere(type, path_[depth]) : ApplyBelow(type, depth);
  }

 private:
  const char* What() const { return new_field_ != nullptr ? "add" : new_name_ == nullptr ? "drop" : "rename"; }

  [[noreturn]] void ThrowNotNested(const std::string& column) const {
    if (new_field_ != nullptr) {
      throw duckdb::BinderException("Column '%s' is not a nested type, ADD COLUMN can only be used on nested types",
                                    column);
    }
    throw duckdb::CatalogException("Cannot %s field from column \"%s\" - not a nested type", What(), path_.front());
  }
  [[noreturn]] void ThrowNotStruct(const std::string& column) const {
    if (new_field_ != nullptr) {
      throw duckdb::BinderException("Column %s is not a struct - ALTER TABLE can only add fields to structs", column);
    }
    const char* const why = new_name_ == nullptr ? "it's not a struct" : "can only rename fields inside a struct";
    throw duckdb::CatalogException("Cannot %s field '%s' from column '%s' - %s", What(), path_.back(), path_.front(),
                                   why);
  }

  std::optional<Remade> ApplyHere(const LogicalType& type, const std::string& struct_name) const {
    if (type.id() != LogicalTypeId::STRUCT) ThrowNotStruct(struct_name);
    const std::string& field = path_.back();
    Fields fields = PartsOf(type);
    const auto at =
        std::ranges::find_if(fields, [&](const auto& one) { return StringUtil::CIEquals(one.first, field); });
    const bool is_there = at != fields.end();
    if (is_there == (new_field_ != nullptr)) {
      if (if_possible_) return std::nullopt;
      if (is_there) {
        throw duckdb::CatalogException("Duplicate field \"%s\" - field already exists in struct %s", field,
                                       struct_name);
      }
      throw duckdb::CatalogException("Cannot %s field \"%s\" - it does not exist in struct %s", What(), field,
                                     struct_name);
    }
    Remade remade;
    for (const auto& [name, unused] : fields) {
      if (StringUtil::CIEquals(name, field)) continue;
      remade.sources.emplace_back(name, duckdb::Value(name));
    }
    if (new_field_ != nullptr) {
      remade.new_values = Pack(field, NewValue());
      fields.emplace_back(field, new_field_->Type());
    } else if (new_name_ != nullptr) {
      const bool is_taken = std::ranges::any_of(fields, [&](const auto& one) {
        return one.first != at->first && StringUtil::CIEquals(one.first, *new_name_);
      });
      if (is_taken) {
        throw duckdb::CatalogException(
            "Cannot rename field %s from column %s to %s - a field with this name already exists", field, struct_name,
            *new_name_);
      }
      remade.sources.emplace_back(*new_name_, duckdb::Value(at->first));
      at->first = *new_name_;
    } else {
      if (fields.size() == 1) {
        throw duckdb::CatalogException("Cannot drop field %s from column %s - it is the last field of the struct",
                                       field, struct_name);
      }
      fields.erase(at);
    }
    remade.type = LogicalType::STRUCT(std::move(fields));
    return remade;
  }

  std::optional<Remade> ApplyBelow(const LogicalType& type, size_t depth) const {
    const std::string& wanted = path_[depth + 1];
    const bool is_element = type.id() == LogicalTypeId::LIST && StringUtil::CIEquals(wanted, "element");
    Fields parts = PartsOf(type);
    Remade remade;
    bool is_found = false;
    for (auto& [name, part] : parts) {
      if (!is_element && !StringUtil::CIEquals(name, wanted)) {
        remade.sources.emplace_back(name, duckdb::Value(name));
        continue;
      }
      auto below = Apply(part, depth + 1);
      if (!below) return std::nullopt;
      is_found = true;
      part = below->type;
      duckdb::child_list_t<duckdb::Value> source;
      source.emplace_back("", duckdb::Value(name));
      source.emplace_back("", duckdb::Value::STRUCT(std::move(below->sources)));
      remade.sources.emplace_back(name, duckdb::Value::STRUCT(std::move(source)));
      if (below->new_values) remade.new_values = Pack(name, std::move(below->new_values));
    }
    if (!is_found) {
      throw duckdb::BinderException("Sub-field %s does not exist in column %s", wanted, path_[depth]);
    }
    remade.type = WithParts(type, std::move(parts));
    return remade;
  }

  duckdb::unique_ptr<ParsedExpression> NewValue() const {
    auto value = new_field_->HasDefaultValue()
                     ? new_field_->DefaultValue().Copy()
                     : duckdb::make_uniq_base<ParsedExpression, duckdb::ConstantExpression>(duckdb::Value());
    return duckdb::make_uniq<duckdb::CastExpression>(new_field_->Type(), std::move(value));
  }

  std::vector<std::string> path_;                        // at its end the field
  const duckdb::ColumnDefinition* new_field_ = nullptr;  // of an addition
  const std::string* new_name_ = nullptr;                // of a new name
  bool if_possible_ = false;
};

bool IsFieldChange(const duckdb::AlterTableInfo& info) {
  return info.alter_table_type == AlterTableType::ADD_FIELD || info.alter_table_type == AlterTableType::REMOVE_FIELD ||
         info.alter_table_type == AlterTableType::RENAME_FIELD;
}

}  // namespace

std::optional<std::string> ColumnOfFieldChange(const duckdb::AlterTableInfo& info) {
  if (!IsFieldChange(info)) return std::nullopt;
  return FieldChange(info).column();
}

std::optional<RemadeColumn> ChangeField(const LogicalType& type, const duckdb::AlterTableInfo& info) {
  const FieldChange change(info);
  auto remade = change.Apply(type);
  if (!remade) return std::nullopt;
  duckdb::vector<duckdb::unique_ptr<ParsedExpression>> arguments;
  arguments.push_back(duckdb::make_uniq<duckdb::ColumnRefExpression>(change.column()));
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(remade->type)));
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::STRUCT(std::move(remade->sources))));
  arguments.push_back(remade->new_values
                          ? std::move(remade->new_values)
                          : duckdb::make_uniq_base<ParsedExpression, duckdb::ConstantExpression>(duckdb::Value()));
  return RemadeColumn{.name = change.column(),
                      .type = std::move(remade->type),
                      .value = duckdb::make_uniq<duckdb::FunctionExpression>("remap_struct", std::move(arguments))};
}

}  // namespace yarrow::sql
