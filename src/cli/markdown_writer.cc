// RowWriter of tables in Markdown.
#include <utility>

#include "cli/row_writer_internal.h"

namespace yarrow::cli {
namespace {

// A cell must neither end its column nor its line.
void AppendEscaped(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '|' || c == '\\') {
      out->append({'\\', c});
    } else if (c == '\n') {
      out->append("<br>");
    } else if (c != '\r') {
      *out += c;
    }
  }
}

class MarkdownWriter : public RowWriter {
 public:
  MarkdownWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out)
      : columns_(std::move(columns)), out_(out) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    ARROW_RETURN_NOT_OK(WriteHeader());
    text_.clear();
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += '|';
      for (size_t i = 0; i < columns_.size(); ++i) {
        const arrow::Array& cells = *batch.column(static_cast<int>(i));
        cell_.clear();
        if (!cells.IsNull(row)) columns_[i].append(cells, row, columns_[i].type, &cell_);
        text_ += ' ';
        AppendEscaped(cell_, &text_);
        text_ += " |";
      }
      text_ += '\n';
    }
    return out_->Write(text_);
  }

  arrow::Status Finish() override { return WriteHeader(); }

 private:
  arrow::Status WriteHeader() {
    if (std::exchange(has_header_, true)) return arrow::Status::OK();
    std::string names = "|", rule = "|";
    for (const TextColumn& column : columns_) {
      names += ' ';
      AppendEscaped(column.name, &names);
      names += " |";
      rule += " --- |";
    }
    return out_->Write(names + "\n" + rule + "\n");
  }

  const std::vector<TextColumn> columns_;
  arrow::io::OutputStream* const out_;
  bool has_header_ = false;
  std::string text_;
  std::string cell_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeMarkdownWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out) {
  return std::make_unique<MarkdownWriter>(std::move(columns), out);
}

}  // namespace yarrow::cli
