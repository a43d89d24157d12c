// RowWriter of CSV.
#include <utility>

#include "cli/row_writer_internal.h"

namespace yarrow::cli {
namespace {

// What some readers take for NULL unless it has quotes.
bool MayReadAsNull(std::string_view text) {
  return text.empty() || text == "NA" || text == "NULL";
}

bool NeedsQuotes(std::string_view text) {
  return text.find_first_of(",\"\r\n") != std::string_view::npos || MayReadAsNull(text);
}

void AppendQuoted(std::string_view text, std::string* out) {
  *out += '"';
  for (const char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

void AppendField(std::string_view text, std::string* out) {
  if (NeedsQuotes(text)) {
    AppendQuoted(text, out);
  } else {
    *out += text;
  }
}

class CsvWriter : public RowWriter {
 public:
  CsvWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out) : columns_(std::move(columns)), out_(out) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text_ += ',';
      AppendField(columns_[i].name, &text_);
    }
    text_ += '\n';
  }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) text_ += ',';
        const arrow::Array& cells = *batch.column(static_cast<int>(i));
        if (!cells.IsNull(row)) AppendCellField(columns_[i], cells, row);
      }
      text_ += '\n';
    }
    return Flush();
  }

  arrow::Status Finish() override { return Flush(); }

 private:
  void AppendCellField(const TextColumn& column, const arrow::Array& cells, int64_t row) {
    if (!column.type.is_variable()) {
      column.append(cells, row, column.type, &text_);
      return;
    }
    cell_.clear();
    column.append(cells, row, column.type, &cell_);
    AppendField(cell_, &text_);
  }

  arrow::Status Flush() {
    const arrow::Status status = out_->Write(text_);
    text_.clear();
    return status;
  }

  const std::vector<TextColumn> columns_;
  arrow::io::OutputStream* const out_;
  std::string text_;
  std::string cell_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeCsvWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out) {
  return std::make_unique<CsvWriter>(std::move(columns), out);
}

}  // namespace yarrow::cli
