#include "row/index_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "row/row_reader.h"

namespace yarrow {

using arrow::Status;

arrow::Result<IndexKeys> IndexKeys::Make(std::shared_ptr<const RowSchema> schema, std::vector<int> columns, bool unique,
                                         std::string prefix, ExpressionParts expressions) {
  IndexKeys keys;
  keys.schema_ = std::move(schema);
  keys.columns_ = std::move(columns);
  keys.expressions_ = std::move(expressions);
  keys.unique_ = unique;
  keys.prefix_ = std::move(prefix);
  std::vector<KeyPart> parts;
  for (const int column : keys.columns_) parts.push_back({.type = keys.TypeOf(column), .nullable = true});
  ARROW_ASSIGN_OR_RAISE(keys.codec_, KeyCodec::Make(std::move(parts)));
  return keys;
}

const ExpressionParts::Part* IndexKeys::ExpressionOf(int column) const {
  const auto part = std::ranges::find(expressions_.parts, column, &ExpressionParts::Part::number);
  return part == expressions_.parts.end() ? nullptr : &*part;
}

const ColumnType& IndexKeys::TypeOf(int column) const {
  const ExpressionParts::Part* const expression = ExpressionOf(column);
  return expression != nullptr ? expression->type : schema_->columns()[static_cast<size_t>(column)].type;
}

const std::string& IndexKeys::NameOf(int column) const {
  const ExpressionParts::Part* const expression = ExpressionOf(column);
  return expression != nullptr ? expression->sql : schema_->columns()[static_cast<size_t>(column)].name;
}

std::vector<int> IndexKeys::ReadColumns() const {
  std::vector<int> columns = expressions_.arguments;
  std::ranges::copy_if(columns_, std::back_inserter(columns),
                       [&](int column) { return ExpressionOf(column) == nullptr; });
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

Status IndexKeys::MakeEntry(std::string_view key, std::string_view row, IndexEntry* entry) const {
  Computed computed;
  if (!expressions_.parts.empty()) {
    std::vector<Value> arguments;
    ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(*schema_, key, row));
    for (const int column : expressions_.arguments) {
      ARROW_ASSIGN_OR_RAISE(Value value, checked.Read(column));
      arguments.push_back(std::move(value));
    }
    for (const ExpressionParts::Part& part : expressions_.parts) {
      ARROW_ASSIGN_OR_RAISE(Value value, part.value->Evaluate(arguments));
      computed.push_back({std::move(value)});
    }
  }
  return MakeEntry({key, row}, computed, 0, entry);
}

arrow::Result<IndexKeys::Computed> IndexKeys::Compute(std::span<const StoredRow> rows) const {
  Computed computed;
  for (const ExpressionParts::Part& part : expressions_.parts) {
    ARROW_ASSIGN_OR_RAISE(auto values, part.value->EvaluateRows(schema_, expressions_.arguments, rows));
    computed.push_back(std::move(values));
  }
  return computed;
}

Status IndexKeys::MakeEntry(const StoredRow& row, const Computed& computed, size_t at, IndexEntry* entry) const {
  const std::string_view row_key = row.key.substr(schema_->key_prefix_size());
  entry->key = prefix_;
  entry->value.clear();
  entry->is_unique = unique_;
  ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(*schema_, row.key, row.row));
  const auto add = [&](const Value& value, const KeyPart& part) {
    if (value.is_null()) entry->is_unique = false;
    return EncodeKeyPart(value, part, &entry->key);
  };
  for (size_t i = 0; i < columns_.size(); ++i) {
    const KeyPart& part = codec_.parts()[i];
    if (const ExpressionParts::Part* const expression = ExpressionOf(columns_[i])) {
      const auto number = static_cast<size_t>(expression - expressions_.parts.data());
      ARROW_RETURN_NOT_OK(add(computed[number][at], part));
    } else {
      ARROW_ASSIGN_OR_RAISE(const Value value, checked.Read(columns_[i]));
      ARROW_RETURN_NOT_OK(add(value, part));
    }
  }
  (entry->is_unique ? entry->value : entry->key).append(row_key);
  return Status::OK();
}

arrow::Result<std::string_view> IndexKeys::RowKey(std::string_view entry_key, std::string_view entry_value) const {
  if (!entry_value.empty()) return entry_value;
  ARROW_ASSIGN_OR_RAISE(const size_t size, codec_.FrontSize(entry_key.substr(prefix_.size())));
  return entry_key.substr(prefix_.size() + size);
}

bool IndexKeys::Cover(std::span<const int> columns) const {
  return std::ranges::all_of(columns, [&](int column) {
    if (schema_->current().places[static_cast<size_t>(column)].kind == RowSchema::Place::kKeyPart) return true;
    return std::ranges::find(columns_, column) != columns_.end() && IsExactInKey(TypeOf(column));
  });
}

Status IndexKeys::MakeRow(std::string_view entry_key, RowWriter* writer, std::string* row) const {
  writer->Reset();
  std::string_view rest = entry_key.substr(prefix_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const Value value, DecodeKeyPart(&rest, codec_.parts()[i]));
    if (ExpressionOf(columns_[i]) != nullptr) continue;
    const RowSchema::Place& place = schema_->current().places[static_cast<size_t>(columns_[i])];
    if (place.kind == RowSchema::Place::kField) {
      ARROW_RETURN_NOT_OK(writer->Set(static_cast<size_t>(place.index), value));
    }
  }
  return writer->Finish(/*deleted=*/false, row);
}

std::string IndexKeys::Describe(std::string_view entry_key) const {
  std::string text;
  entry_key.remove_prefix(std::min(prefix_.size(), entry_key.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto value = DecodeKeyPart(&entry_key, codec_.parts()[i]);
    text += (i == 0 ? "" : ", ") + NameOf(columns_[i]) + ": ";
    text += value.ok() ? value->ToString(codec_.parts()[i].type) : "?";
  }
  return text;
}

std::string IndexKeys::ColumnNames() const {
  std::string names;
  for (const int column : columns_) names += (names.empty() ? "" : ", ") + NameOf(column);
  return names;
}

}  // namespace yarrow
