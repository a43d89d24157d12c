// RowWriter of JSON objects: one a line, or all in one array.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/cell_text.h"
#include "cli/row_writer_internal.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

// What has to happen to the text of a cell.
enum class JsonForm {
  kPlain,    // a JSON value as it is
  kReal,     // a number, unless it is nan or infinite
  kQuoted,   // a string of characters that need no escapes
  kEscaped,  // a string of any characters
  kNested,   // an array or object
  kJson,     // a value of a JSON column
};

JsonForm FormOf(const ColumnType& type) {
  if (type.id == TypeId::kJson) return JsonForm::kJson;
  switch (KindOf(type)) {
    case TypeKind::kReal:
      return JsonForm::kReal;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kUuid:
    case TypeKind::kInterval:
      return JsonForm::kQuoted;
    case TypeKind::kNested:
      return JsonForm::kNested;
    case TypeKind::kText:
    case TypeKind::kBinary:
      return JsonForm::kEscaped;
    default:
      return JsonForm::kPlain;
  }
}

std::string JsonString(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Letters other than an exponent's: nan, inf.
bool IsFinite(std::string_view number) {
  return number.find('n') == std::string_view::npos;
}

// On one line. Texts that are no JSON, which programs may write by the API, are strings.
void AppendJsonText(std::string_view text, std::string* out) {
  if (!nlohmann::json::accept(text)) {
    *out += JsonString(std::string(text));
    return;
  }
  const size_t begin = out->size();
  *out += text;
  // Line ends stand between values only.
  std::replace_if(
      out->begin() + static_cast<std::ptrdiff_t>(begin), out->end(), [](char c) { return c == '\n' || c == '\r'; },
      ' ');
}

void AppendJsonValue(const Value& value, const ColumnType& type, std::string* out);

// The parts of a nested value: an array, or an object by the names of fields or the keys of a map.
void AppendJsonParts(const Value& value, const ColumnType& type, std::string* out) {
  const auto parts = value.Parts(type).ValueOr(std::vector<Value>());
  const bool is_array = type.id == TypeId::kList || type.id == TypeId::kArray;
  *out += is_array ? '[' : '{';
  const size_t step = type.id == TypeId::kMap ? 2 : 1;
  for (size_t i = 0; i + step <= parts.size(); i += step) {
    const TypeMember& member = type.members()[is_array ? 0 : type.id == TypeId::kMap ? 1 : i];
    if (i > 0) *out += ',';
    if (type.id == TypeId::kMap) *out += JsonString(parts[i].ToString(type.members()[0].type)) + ":";
    if (type.id == TypeId::kStruct) *out += JsonString(member.name) + ":";
    AppendJsonValue(parts[i + step - 1], member.type, out);
  }
  *out += is_array ? ']' : '}';
}

void AppendJsonValue(const Value& value, const ColumnType& type, std::string* out) {
  if (value.is_null()) {
    *out += "null";
    return;
  }
  const std::string text = type.is_nested() ? "" : value.ToString(type);
  switch (FormOf(type)) {
    case JsonForm::kNested:
      return AppendJsonParts(value, type, out);
    case JsonForm::kReal:
      *out += IsFinite(text) ? text : '"' + text + '"';
      return;
    case JsonForm::kPlain:
      *out += text;
      return;
    case JsonForm::kJson:
      return AppendJsonText(text, out);
    default:
      *out += JsonString(text);
  }
}

class JsonWriter : public RowWriter {
 public:
  JsonWriter(JsonLayout layout, std::vector<TextColumn> columns, arrow::io::OutputStream* out)
      : layout_(layout), columns_(std::move(columns)), out_(out) {
    for (const TextColumn& column : columns_) {
      const std::string_view opening = prefixes_.empty() ? "{" : ",";
      prefixes_.push_back(std::string(opening) + nlohmann::json(column.name).dump() + ":");
      forms_.push_back(FormOf(column.type));
    }
  }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    text_.clear();
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (layout_ == JsonLayout::kArray) text_ += std::exchange(any_, true) ? ",\n " : "[";
      if (columns_.empty()) text_ += '{';
      for (size_t i = 0; i < columns_.size(); ++i) {
        text_ += prefixes_[i];
        const arrow::Array& cells = *batch.column(static_cast<int>(i));
        if (cells.IsNull(row)) {
          text_ += "null";
        } else {
          AppendJson(i, cells, row);
        }
      }
      text_ += layout_ == JsonLayout::kArray ? "}" : "}\n";
    }
    return out_->Write(text_);
  }

  arrow::Status Finish() override {
    if (layout_ == JsonLayout::kLines) return arrow::Status::OK();
    return out_->Write(any_ ? "]\n" : "[]\n");
  }

 private:
  void AppendJson(size_t i, const arrow::Array& cells, int64_t row) {
    const TextColumn& column = columns_[i];
    if (forms_[i] == JsonForm::kPlain) {
      column.append(cells, row, column.type, &text_);
      return;
    }
    if (forms_[i] == JsonForm::kNested) {
      AppendJsonParts(CellValue(cells, row, column.type), column.type, &text_);
      return;
    }
    cell_.clear();
    column.append(cells, row, column.type, &cell_);
    if (forms_[i] == JsonForm::kJson) {
      AppendJsonText(cell_, &text_);
    } else if (forms_[i] == JsonForm::kEscaped) {
      text_ += JsonString(cell_);
    } else if (forms_[i] == JsonForm::kReal && IsFinite(cell_)) {
      text_ += cell_;
    } else {
      text_ += '"';
      text_ += cell_;
      text_ += '"';
    }
  }

  const JsonLayout layout_;
  const std::vector<TextColumn> columns_;
  arrow::io::OutputStream* const out_;
  std::vector<std::string> prefixes_;  // opening brace or comma, name, colon
  std::vector<JsonForm> forms_;
  bool any_ = false;  // rows so far
  std::string text_;
  std::string cell_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeJsonWriter(JsonLayout layout, std::vector<TextColumn> columns,
                                          arrow::io::OutputStream* out) {
  return std::make_unique<JsonWriter>(layout, std::move(columns), out);
}

}  // namespace yarrow::cli
