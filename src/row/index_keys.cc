#include "row/index_keys.h"

#include <utility>

#include "row/row_reader.h"

namespace yarrow {

using arrow::Status;

arrow::Result<IndexKeys> IndexKeys::Make(std::shared_ptr<const RowSchema> schema, std::vector<int> columns, bool unique,
                                         std::string prefix) {
  IndexKeys keys;
  std::vector<KeyPart> parts;
  for (const int column : columns) {
    parts.push_back({.type = schema->columns()[static_cast<size_t>(column)].type, .nullable = true});
  }
  ARROW_ASSIGN_OR_RAISE(keys.codec_, KeyCodec::Make(std::move(parts)));
  keys.schema_ = std::move(schema);
  keys.columns_ = std::move(columns);
  keys.unique_ = unique;
  keys.prefix_ = std::move(prefix);
  return keys;
}

Status IndexKeys::MakeEntry(std::string_view key, std::string_view row, IndexEntry* entry) const {
  const std::string_view row_key = key.substr(schema_->key_prefix_size());
  entry->key = prefix_;
  entry->value.clear();
  entry->is_unique = unique_;
  ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(*schema_, key, row));
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const Value value, checked.Read(columns_[i]));
    ARROW_RETURN_NOT_OK(EncodeKeyPart(value, codec_.parts()[i], &entry->key));
    if (value.is_null()) entry->is_unique = false;
  }
  (entry->is_unique ? entry->value : entry->key).append(row_key);
  return Status::OK();
}

arrow::Result<std::string_view> IndexKeys::RowKey(std::string_view entry_key, std::string_view entry_value) const {
  if (!entry_value.empty()) return entry_value;
  ARROW_ASSIGN_OR_RAISE(const size_t size, codec_.FrontSize(entry_key.substr(prefix_.size())));
  return entry_key.substr(prefix_.size() + size);
}

std::string IndexKeys::Describe(std::string_view entry_key) const {
  std::string text;
  entry_key.remove_prefix(std::min(prefix_.size(), entry_key.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const RowColumn& column = schema_->columns()[static_cast<size_t>(columns_[i])];
    const auto value = DecodeKeyPart(&entry_key, codec_.parts()[i]);
    text += (i == 0 ? "" : ", ") + column.name + ": " + (value.ok() ? value->ToString(column.type) : "?");
  }
  return text;
}

std::string IndexKeys::ColumnNames() const {
  std::string names;
  for (const int column : columns_) {
    names += (names.empty() ? "" : ", ") + schema_->columns()[static_cast<size_t>(column)].name;
  }
  return names;
}

}  // namespace yarrow
