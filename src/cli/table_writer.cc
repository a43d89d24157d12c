// RowWriter of an aligned table.
#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cwchar>
#include <utility>

#include "cli/row_writer_internal.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

constexpr int64_t kSizingRows = 1000;

bool IsNumber(const ColumnType& type) {
  return IsInteger(type) || IsReal(type) || KindOf(type) == TypeKind::kDecimal;
}

// A cell must stay on its line.
std::string EscapeControls(std::string_view text) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      escaped += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// The code point that starts at text[*at], which is moved behind it; bytes that are not UTF-8 count as themselves.
char32_t NextCodePoint(std::string_view text, size_t* at) {
  const auto lead = static_cast<uint8_t>(text[(*at)++]);
  const int following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  char32_t code = following == 0 ? lead : lead & (0x3fU >> following);
  for (int i = 0; i < following && *at < text.size(); ++i)
    code = code << 6 | (static_cast<uint8_t>(text[(*at)++]) & 63U);
  return code;
}

class TableWriter : public RowWriter {
 public:
  TableWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out)
      : columns_(std::move(columns)), out_(out), widths_(columns_.size()) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].name = EscapeControls(columns_[i].name);
      widths_[i] = DisplayWidth(columns_[i].name);
    }
  }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (is_sized_) {
        AppendRow(Cells(batch, row));
      } else {
        Hold(Cells(batch, row));
      }
    }
    rows_ += batch.num_rows();
    return is_sized_ ? Flush() : arrow::Status::OK();
  }

  arrow::Status Finish() override {
    if (!is_sized_) WriteHeld();
    text_ += "(" + GroupDigits(static_cast<uint64_t>(rows_)) + (rows_ == 1 ? " row)\n" : " rows)\n");
    return Flush();
  }

 private:
  std::vector<std::string> Cells(const arrow::RecordBatch& batch, int64_t row) {
    std::vector<std::string> cells(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      const arrow::Array& array = *batch.column(static_cast<int>(i));
      if (array.IsNull(row)) {
        cells[i] = "NULL";
        continue;
      }
      columns_[i].append(array, row, columns_[i].type, &cells[i]);
      if (columns_[i].type.id == TypeId::kUtf8) cells[i] = EscapeControls(cells[i]);
    }
    return cells;
  }

  // Keeps a row until enough of them are known to size the columns by.
  void Hold(std::vector<std::string> cells) {
    for (size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
    held_.push_back(std::move(cells));
    if (held_.size() == kSizingRows) WriteHeld();
  }

  void WriteHeld() {
    is_sized_ = true;
    std::vector<std::string> names;
    for (const TextColumn& column : columns_) names.push_back(column.name);
    AppendRow(names);
    for (size_t i = 0; i < widths_.size(); ++i) {
      if (i > 0) text_ += '+';
      text_.append(static_cast<size_t>(widths_[i]) + 2, '-');
    }
    text_ += '\n';
    for (const auto& cells : held_) AppendRow(cells);
    held_.clear();
  }

  void AppendRow(const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text_ += '|';
      const auto padding = static_cast<size_t>(std::max<int64_t>(widths_[i] - DisplayWidth(cells[i]), 0));
      const bool right = IsNumber(columns_[i].type);
      text_ += ' ';
      if (right) text_.append(padding, ' ');
      text_ += cells[i];
      if (i + 1 == cells.size()) break;  // no blanks at the end of lines
      if (!right) text_.append(padding, ' ');
      text_ += ' ';
    }
    text_ += '\n';
  }

  arrow::Status Flush() {
    const arrow::Status status = out_->Write(text_);
    text_.clear();
    return status;
  }

  std::vector<TextColumn> columns_;
  arrow::io::OutputStream* const out_;
  std::vector<int64_t> widths_;
  std::vector<std::vector<std::string>> held_;
  bool is_sized_ = false;
  int64_t rows_ = 0;
  std::string text_;
};

}  // namespace

int64_t DisplayWidth(std::string_view text) {
  // The C library's own table of wide and combining characters; without that locale every character counts one.
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const auto is_ascii = [](char c) { return static_cast<uint8_t>(c) < 0x80; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return static_cast<int64_t>(text.size());
  const locale_t before = utf8 != nullptr ? ::uselocale(utf8) : nullptr;
  int64_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const int columns = ::wcwidth(static_cast<wchar_t>(NextCodePoint(text, &at)));
    width += columns >= 0 ? columns : 1;
  }
  if (before != nullptr) ::uselocale(before);
  return width;
}

std::unique_ptr<RowWriter> MakeTableWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out) {
  return std::make_unique<TableWriter>(std::move(columns), out);
}

}  // namespace yarrow::cli
