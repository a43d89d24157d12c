// What the writers of the formats share.
#pragma once

#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/cell_text.h"
#include "cli/row_writer.h"
#include "yarrow/type.h"

namespace yarrow::cli {

struct TextColumn {
  std::string name;
  ColumnType type;
  AppendCell append = nullptr;
};

std::unique_ptr<RowWriter> MakeCsvWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out);
enum class JsonLayout { kArray, kLines };
std::unique_ptr<RowWriter> MakeJsonWriter(JsonLayout layout, std::vector<TextColumn> columns,
                                          arrow::io::OutputStream* out);
std::unique_ptr<RowWriter> MakeMarkdownWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out);
std::unique_ptr<RowWriter> MakeTableWriter(std::vector<TextColumn> columns, arrow::io::OutputStream* out);

}  // namespace yarrow::cli
