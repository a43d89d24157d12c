#include "adbc/driver_info.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>

#include <array>
#include <duckdb/common/adbc/adbc.hpp>
#include <memory>
#include <string>
#include <vector>

namespace yarrow::adbc {
namespace {

// The union of the specification; only the first and the third kind of value are used.
constexpr int8_t kText = 0;
constexpr int8_t kNumber = 2;

std::shared_ptr<arrow::DataType> ValueType() {
  return arrow::dense_union(
      {arrow::field("string_value", arrow::utf8()), arrow::field("bool_value", arrow::boolean()),
       arrow::field("int64_value", arrow::int64()), arrow::field("int32_bitmask", arrow::int32()),
       arrow::field("string_list", arrow::list(arrow::utf8())),
       arrow::field("int32_to_int32_list_map", arrow::map(arrow::int32(), arrow::list(arrow::int32())))});
}

class InfoBuilder {
 public:
  // False when the driver does not know the code.
  arrow::Result<bool> Add(uint32_t code) {
    switch (code) {
      case ADBC_INFO_VENDOR_NAME:
        return AddText(code, "Yarrow");
      case ADBC_INFO_VENDOR_VERSION:
      case ADBC_INFO_DRIVER_VERSION:
        return AddText(code, YARROW_VERSION);
      case ADBC_INFO_DRIVER_NAME:
        return AddText(code, "ADBC Yarrow Driver");
      case ADBC_INFO_DRIVER_ARROW_VERSION:
        return AddText(code, ARROW_VERSION_STRING);
      case ADBC_INFO_DRIVER_ADBC_VERSION:
        ARROW_RETURN_NOT_OK(AddName(code, kNumber, static_cast<int32_t>(numbers_.length())));
        ARROW_RETURN_NOT_OK(numbers_.Append(ADBC_VERSION_1_1_0));
        return true;
      default:
        return false;
    }
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Finish() {
    std::array<std::shared_ptr<arrow::Array>, 5> arrays;
    ARROW_RETURN_NOT_OK(names_.Finish(&arrays[0]));
    ARROW_RETURN_NOT_OK(kinds_.Finish(&arrays[1]));
    ARROW_RETURN_NOT_OK(offsets_.Finish(&arrays[2]));
    ARROW_RETURN_NOT_OK(texts_.Finish(&arrays[3]));
    ARROW_RETURN_NOT_OK(numbers_.Finish(&arrays[4]));
    arrow::ArrayVector children;
    std::vector<std::string> child_names;
    const auto type = ValueType();
    for (const auto& field : type->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeEmptyArray(field->type()));
      children.push_back(std::move(empty));
      child_names.push_back(field->name());
    }
    children[kText] = arrays[3];
    children[kNumber] = arrays[4];
    ARROW_ASSIGN_OR_RAISE(auto values,
                          arrow::DenseUnionArray::Make(*arrays[1], *arrays[2], std::move(children), child_names));
    const auto schema = arrow::schema(
        {arrow::field("info_name", arrow::uint32(), /*nullable=*/false), arrow::field("info_value", values->type())});
    return arrow::RecordBatch::Make(schema, arrays[0]->length(), {arrays[0], values});
  }

 private:
  arrow::Status AddName(uint32_t code, int8_t kind, int32_t offset) {
    ARROW_RETURN_NOT_OK(names_.Append(code));
    ARROW_RETURN_NOT_OK(kinds_.Append(kind));
    return offsets_.Append(offset);
  }
  arrow::Result<bool> AddText(uint32_t code, const std::string& text) {
    ARROW_RETURN_NOT_OK(AddName(code, kText, static_cast<int32_t>(texts_.length())));
    ARROW_RETURN_NOT_OK(texts_.Append(text));
    return true;
  }

  arrow::UInt32Builder names_;
  arrow::Int8Builder kinds_;
  arrow::Int32Builder offsets_;
  arrow::StringBuilder texts_;
  arrow::Int64Builder numbers_;
};

arrow::Status WriteInfo(const uint32_t* codes, size_t count, ArrowArrayStream* out) {
  constexpr uint32_t kKnown[] = {ADBC_INFO_VENDOR_NAME,          ADBC_INFO_VENDOR_VERSION,
                                 ADBC_INFO_DRIVER_NAME,          ADBC_INFO_DRIVER_VERSION,
                                 ADBC_INFO_DRIVER_ARROW_VERSION, ADBC_INFO_DRIVER_ADBC_VERSION};
  std::vector<uint32_t> wanted(std::begin(kKnown), std::end(kKnown));
  if (codes != nullptr) wanted.assign(codes, codes + count);
  InfoBuilder builder;
  for (const uint32_t code : wanted) ARROW_RETURN_NOT_OK(builder.Add(code).status());
  ARROW_ASSIGN_OR_RAISE(auto batch, builder.Finish());
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make({batch}, batch->schema()));
  return arrow::ExportRecordBatchReader(std::move(reader), out);
}

}  // namespace

AdbcStatusCode ConnectionGetInfo(AdbcConnection* connection, const uint32_t* codes, size_t count, ArrowArrayStream* out,
                                 AdbcError* error) {
  if (connection == nullptr || connection->private_data == nullptr || out == nullptr) {
    ::SetError(error, "The connection or the stream for its information is null");
    return ADBC_STATUS_INVALID_ARGUMENT;
  }
  const arrow::Status written = WriteInfo(codes, count, out);
  if (written.ok()) return ADBC_STATUS_OK;
  ::SetError(error, written.message());
  return ADBC_STATUS_INTERNAL;
}

}  // namespace yarrow::adbc
