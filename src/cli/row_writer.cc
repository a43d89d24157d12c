#include "cli/row_writer.h"

#include <arrow/type.h>

#include <utility>

#include "cli/row_writer_internal.h"
#include "cli/shown_type.h"

namespace yarrow::cli {

namespace {

constexpr std::pair<std::string_view, OutputFormat> kFormats[] = {{"table", OutputFormat::kTable},
                                                                  {"csv", OutputFormat::kCsv},
                                                                  {"json", OutputFormat::kJson},
                                                                  {"jsonlines", OutputFormat::kJsonLines},
                                                                  {"markdown", OutputFormat::kMarkdown}};

}  // namespace

std::optional<OutputFormat> FormatOf(std::string_view name) {
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string FormatNames() {
  std::string names;
  for (const auto& [name, format] : kFormats) names.append(names.empty() ? "" : "|").append(name);
  return names;
}

arrow::Result<std::unique_ptr<RowWriter>> MakeRowWriter(OutputFormat format, const arrow::Schema& schema,
                                                        arrow::io::OutputStream* out, const TableDefinition* table) {
  std::vector<TextColumn> columns;
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(const ColumnType type, ShownType(*field, table));
    columns.push_back({field->name(), type, CellAppender(type)});
  }
  switch (format) {
    case OutputFormat::kCsv:
      return MakeCsvWriter(std::move(columns), out);
    case OutputFormat::kJson:
      return MakeJsonWriter(JsonLayout::kArray, std::move(columns), out);
    case OutputFormat::kJsonLines:
      return MakeJsonWriter(JsonLayout::kLines, std::move(columns), out);
    case OutputFormat::kMarkdown:
      return MakeMarkdownWriter(std::move(columns), out);
    case OutputFormat::kTable:
      break;
  }
  return MakeTableWriter(std::move(columns), out);
}

}  // namespace yarrow::cli
