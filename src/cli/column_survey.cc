#include "cli/column_survey.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "cli/csv_text_reader.h"
#include "cli/import_file.h"

namespace yarrow::cli {

ColumnSurvey::ColumnSurvey(const CsvDialect& dialect, std::map<std::string, ColumnType> known_types)
    : dialect_(dialect), known_types_(std::move(known_types)) {}

arrow::Status ColumnSurvey::AddNames(const std::filesystem::path& path, const std::vector<std::string>& names) {
  if (first_path_.empty()) {
    first_path_ = path;
    names_ = names;
    for (const std::string& name : names) columns_[name];
    return arrow::Status::OK();
  }
  for (const std::string& name : names) {
    if (columns_.contains(name)) continue;
    return arrow::Status::Invalid(path.string(), ": column ", name, " is not in ", first_path_.string(),
                                  "; files imported together must have the same columns");
  }
  for (const std::string& name : names_) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return arrow::Status::Invalid(path.string(), ": there is no column ", name, ", which ", first_path_.string(),
                                  " has; files imported together must have the same columns");
  }
  return arrow::Status::OK();
}

arrow::Status ColumnSurvey::Add(const std::filesystem::path& path, bool infer_types, ByteCount* bytes_read,
                                const std::function<arrow::Status(int64_t rows)>& on_progress) {
  if (IsParquet(path)) {
    ARROW_ASSIGN_OR_RAISE(const auto columns, ParquetColumns(path));
    std::vector<std::string> names;
    for (const auto& [name, type] : columns) names.push_back(name);
    ARROW_RETURN_NOT_OK(AddNames(path, names));
    for (const auto& [name, type] : columns) {
      Column& column = columns_[name];
      if (!column.declared) column.declared.emplace(type, path);
      column.is_declared_differently = column.is_declared_differently || column.declared->first != type;
    }
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, CsvTextReader::Open(path, dialect_, bytes_read));
  ARROW_RETURN_NOT_OK(AddNames(path, reader->column_names()));
  if (!infer_types) return arrow::Status::OK();
  std::vector<TypeInference*> inferences;
  for (const std::string& name : reader->column_names()) {
    Column& column = columns_[name];
    if (!column.inference) column.inference.emplace(dialect_);
    inferences.push_back(known_types_.contains(name) ? nullptr : &*column.inference);
  }
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return arrow::Status::OK();
    for (size_t i = 0; i < inferences.size(); ++i) {
      if (inferences[i] == nullptr) continue;
      inferences[i]->Add(static_cast<const arrow::BinaryArray&>(*batch->column(static_cast<int>(i))));
    }
    ARROW_RETURN_NOT_OK(on_progress(batch->num_rows()));
  }
}

arrow::Result<ColumnType> ColumnSurvey::TypeOf(const std::string& name) const {
  if (const auto known = known_types_.find(name); known != known_types_.end()) return known->second;
  const Column& column = columns_.at(name);
  if (column.is_declared_differently) {
    return arrow::Status::Invalid(
        "column ", name, " is ", column.declared->first.ToString(), " in ", column.declared->second.string(),
        " and of another type in another file; choose one: ", "--type ", name, "=", column.declared->first.ToString());
  }
  if (column.declared) return column.declared->first;
  return column.inference ? column.inference->type() : ColumnType(TypeId::kUtf8);
}

}  // namespace yarrow::cli
