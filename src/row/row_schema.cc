#include "row/row_schema.h"

#include <arrow/type.h>

#include <algorithm>
#include <set>

#include "type/type_traits.h"
#include "type/type_widening.h"
#include "type/value_check.h"

namespace yarrow {
namespace {

char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ToLower, ToLower);
}

int FindId(const std::vector<RowColumn>& columns, uint32_t id) {
  const auto found = std::ranges::find(columns, id, &RowColumn::id);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

template <class... Args>
arrow::Status TableError(const std::string& table, const Args&... args) {
  return arrow::Status::Invalid("table ", table, ": ", args...);
}

// Checks the columns, and brings the defaults into exact form.
arrow::Status CheckColumns(const std::string& table, std::vector<RowColumn>* columns) {
  std::set<std::string_view> names;
  std::set<uint32_t> ids;
  for (RowColumn& column : *columns) {
    if (column.name.empty() || !IsUtf8(column.name)) {
      return TableError(table, "column ", column.id, " has no name or one that is not UTF-8");
    }
    if (!names.insert(column.name).second) return TableError(table, "two columns are named '", column.name, "'");
    if (!ids.insert(column.id).second) return TableError(table, "two columns have the id ", column.id);
    const arrow::Status type_status = column.type.Validate();
    if (!type_status.ok()) return TableError(table, "column '", column.name, "': ", type_status.message());
    auto exact_default = column.default_value.CastTo(column.type);
    if (!exact_default.ok()) {
      return TableError(table, "column '", column.name, "': default: ", exact_default.status().message());
    }
    column.default_value = *std::move(exact_default);
    if (!column.initial_value) continue;
    auto exact_initial = column.initial_value->CastTo(column.type);
    if (!exact_initial.ok()) {
      return TableError(table, "column '", column.name, "': initial value: ", exact_initial.status().message());
    }
    column.initial_value = *std::move(exact_initial);
  }
  return arrow::Status::OK();
}

arrow::Status CheckVersion(const RowSchema::Options& options, const RowVersion& version) {
  const std::string& table = options.table_name;
  if (version.column_ids.size() != version.types.size()) {
    return TableError(table, "schema version ", version.version, " has ", version.column_ids.size(), " columns but ",
                      version.types.size(), " types");
  }
  std::set<uint32_t> ids;
  for (size_t i = 0; i < version.column_ids.size(); ++i) {
    const uint32_t id = version.column_ids[i];
    if (!ids.insert(id).second) {
      return TableError(table, "schema version ", version.version, " stores the column id ", id, " twice");
    }
    const int column = FindId(options.columns, id);
    if (column < 0) continue;
    const RowColumn& now = options.columns[static_cast<size_t>(column)];
    if (now.type == version.types[i]) continue;
    const bool is_key = std::ranges::find(options.key_column_ids, id) != options.key_column_ids.end();
    if (!is_key && IsWidening(version.types[i], now.type)) continue;
    return TableError(table, "column '", now.name, "' is ", now.type.ToString(), " but was ",
                      version.types[i].ToString(), " in schema version ", version.version,
                      is_key ? ": the type of a key column never changes" : ", which does not widen to it");
  }
  return arrow::Status::OK();
}

}  // namespace

// Places of all columns in one version, and what each of its fields is.
arrow::Result<RowSchema::Version> RowSchema::MakeVersion(const RowVersion& from, bool is_current) const {
  const std::string& table = options_.table_name;
  ARROW_RETURN_NOT_OK(CheckVersion(options_, from));
  Version version;
  ARROW_ASSIGN_OR_RAISE(version.layout, RowLayout::Make(from.version, from.types));
  for (const uint32_t id : from.column_ids) version.column_of_field.push_back(FindId(options_.columns, id));

  for (size_t i = 0; i < options_.columns.size(); ++i) {
    const RowColumn& column = options_.columns[i];
    const auto field = std::ranges::find(from.column_ids, column.id);
    const int part = key_part_of_column_[i];
    if (field != from.column_ids.end()) {
      version.places.push_back({Place::kField, static_cast<int>(field - from.column_ids.begin())});
      continue;
    }
    if (part >= 0) {
      if (!IsExactInKey(column.type)) {
        return TableError(table, "schema version ", from.version, " does not store the key column '", column.name,
                          "', whose key part loses -0.0");
      }
      version.places.push_back({Place::kKeyPart, part});
      continue;
    }
    if (is_current) {
      return TableError(table, "the current schema version ", from.version, " does not store the column '", column.name,
                        "'");
    }
    if (!column.nullable && column.older_value().is_null()) {
      return TableError(table, "column '", column.name, "' is NOT NULL and rows of schema version ", from.version,
                        " do not have it: give it a default");
    }
    version.places.push_back({Place::kDefault, 0});
  }
  return version;
}

arrow::Status RowSchema::MakeKey() {
  const std::string& table = options_.table_name;
  if (options_.key_column_ids.empty()) return TableError(table, "it has no key column");
  key_part_of_column_.assign(options_.columns.size(), -1);
  std::vector<KeyPart> parts;
  for (const uint32_t id : options_.key_column_ids) {
    const int index = FindId(options_.columns, id);
    if (index < 0) return TableError(table, "the key has the unknown column id ", id);
    const RowColumn& column = options_.columns[static_cast<size_t>(index)];
    int& part = key_part_of_column_[static_cast<size_t>(index)];
    if (part >= 0) return TableError(table, "the key has the column '", column.name, "' twice");
    if (column.nullable) return TableError(table, "the key column '", column.name, "' must be NOT NULL");
    if (!HasOrder(column.type)) {
      return arrow::Status::TypeError(KeyTypeRefusal(column.type), " Table ", table, ": column ", column.name,
                                      " cannot be in a key: its values have no bytes that sort as they do");
    }
    part = static_cast<int>(parts.size());
    parts.push_back({column.type, false});
    key_columns_.push_back(index);
  }
  ARROW_ASSIGN_OR_RAISE(key_codec_, KeyCodec::Make(std::move(parts)));
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<const RowSchema>> RowSchema::Make(Options options) {
  const std::shared_ptr<RowSchema> schema(new RowSchema());
  schema->options_ = std::move(options);
  Options& own = schema->options_;
  ARROW_RETURN_NOT_OK(CheckColumns(own.table_name, &own.columns));
  ARROW_RETURN_NOT_OK(schema->MakeKey());

  if (own.versions.empty()) return TableError(own.table_name, "it has no schema version");
  for (const RowVersion& version : own.versions) {
    if (schema->current_ && version.version <= schema->current().layout.schema_version()) {
      return TableError(own.table_name, "schema version ", version.version, " follows ",
                        schema->current().layout.schema_version(), ": they must increase");
    }
    const bool is_current = &version == &own.versions.back();
    ARROW_ASSIGN_OR_RAISE(Version made, schema->MakeVersion(version, is_current));
    schema->current_ = std::make_shared<const Version>(std::move(made));
    schema->versions_[version.version] = schema->current_;
  }

  arrow::FieldVector fields;
  for (const RowColumn& column : own.columns) {
    fields.push_back(arrow::field(column.name, BatchType(column.type), column.nullable));
  }
  schema->arrow_schema_ = arrow::schema(std::move(fields));
  return schema;
}

bool IsExactInKey(const ColumnType& type) {
  return !IsReal(type);
}

std::vector<uint32_t> RowSchema::StoredColumnIds(const std::vector<RowColumn>& columns,
                                                 const std::vector<uint32_t>& key_column_ids) {
  std::vector<uint32_t> stored;
  for (const RowColumn& column : columns) {
    const bool is_key = std::ranges::find(key_column_ids, column.id) != key_column_ids.end();
    if (!is_key || !IsExactInKey(column.type)) stored.push_back(column.id);
  }
  return stored;
}

int RowSchema::FindColumn(std::string_view name) const {
  int similar = -1;
  int similar_count = 0;
  for (size_t i = 0; i < options_.columns.size(); ++i) {
    const std::string& column_name = options_.columns[i].name;
    if (column_name == name) return static_cast<int>(i);
    if (EqualIgnoringCase(column_name, name)) {
      similar = static_cast<int>(i);
      ++similar_count;
    }
  }
  return similar_count == 1 ? similar : -1;
}

const RowSchema::Version* RowSchema::FindVersion(uint32_t version) const {
  if (current().layout.schema_version() == version) return current_.get();
  std::lock_guard lock(mutex_);
  if (const auto known = versions_.find(version); known != versions_.end()) return known->second.get();
  const std::optional<RowVersion> former = options_.former ? options_.former(version) : std::nullopt;
  if (!former) return nullptr;  // which damaged rows may ask for without end
  arrow::Result<Version> made = MakeVersion(*former, /*is_current=*/false);
  auto& kept = versions_[version];
  if (made.ok()) kept = std::make_shared<const Version>(*std::move(made));
  return kept.get();
}

std::string RowSchema::DescribeKey(std::string_view key) const {
  if (key.size() >= key_prefix_size()) {
    const auto values = key_codec_.Decode(key.substr(key_prefix_size()));
    if (values.ok()) {
      std::string text = "key (";
      for (size_t i = 0; i < values->size(); ++i) {
        const ColumnType& type = key_codec_.parts()[i].type;
        const std::string value = (*values)[i].ToString(type);
        const bool is_quoted = type.is_variable() || IsTemporal(type) || KindOf(type) == TypeKind::kUuid;
        text += i == 0 ? "" : ", ";
        if (is_quoted) text += '\'';
        for (const char c : value) text.append(is_quoted && c == '\'' ? 2 : 1, c);
        if (is_quoted) text += '\'';
      }
      return text + ")";
    }
  }
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string text = "key 0x";
  for (const char c : key) {
    const auto byte = static_cast<uint8_t>(c);
    text += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  }
  return text;
}

}  // namespace yarrow
