#include "sql/ingest_function.h"

#include <duckdb/common/arrow/arrow_wrapper.hpp>
#include <duckdb/function/table/arrow.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include <cstdint>
#include <utility>

#include "sql/connection_state.h"
#include "sql/function_fence.h"

namespace yarrow::sql {
namespace {

// What DuckDB's function arrow_scan_dumb calls. The stream can be had once.
duckdb::unique_ptr<duckdb::ArrowArrayStreamWrapper> Produce(uintptr_t stream, duckdb::ArrowStreamParameters&) {
  auto wrapper = duckdb::make_uniq<duckdb::ArrowArrayStreamWrapper>();
  wrapper->arrow_array_stream = *reinterpret_cast<ArrowArrayStream*>(stream);
  reinterpret_cast<ArrowArrayStream*>(stream)->release = nullptr;
  return wrapper;
}

void GetSchema(ArrowArrayStream* stream, ArrowSchema& schema) {
  if (stream->get_schema(stream, &schema) != 0) {
    throw duckdb::InvalidInputException("Ingest: the schema of the stream cannot be read");
  }
}

duckdb::Value Pointer(const void* address) {
  return duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(address));
}

duckdb::unique_ptr<duckdb::FunctionData> BindIngest(duckdb::ClientContext& context,
                                                    duckdb::TableFunctionBindInput& input,
                                                    duckdb::vector<duckdb::LogicalType>& types,
                                                    duckdb::vector<duckdb::string>& names) {
  ArrowArrayStream* const stream = ConnectionState::Of(context)->ingested;
  if (stream == nullptr || stream->release == nullptr) {
    throw duckdb::BinderException("yarrow_ingest: no rows were given to this connection");
  }
  duckdb::vector<duckdb::Value> pointers{Pointer(stream), Pointer(reinterpret_cast<const void*>(&Produce)),
                                         Pointer(reinterpret_cast<const void*>(&GetSchema))};
  duckdb::TableFunctionBindInput given(pointers, input.named_parameters, input.input_table_types,
                                       input.input_table_names, input.info, input.binder, input.table_function,
                                       input.ref);
  return duckdb::ArrowTableFunction::ArrowScanBindDumb(context, given, types, names);
}

}  // namespace

IngestStream::IngestStream(duckdb::ClientContext& context, ArrowArrayStream* stream) : context_(context) {
  ConnectionState::Of(context_)->ingested = stream;
}

IngestStream::~IngestStream() {
  ConnectionState::Of(context_)->ingested = nullptr;
}

// The function without pushdown: all columns are wanted, and the stream cannot leave any out.
void RegisterIngestFunction(duckdb::DatabaseInstance& instance) {
  duckdb::TableFunction function = OriginalFunction(instance, "arrow_scan_dumb");
  function.name = "yarrow_ingest";
  function.arguments.clear();
  function.bind = BindIngest;
  duckdb::ExtensionLoader loader(instance, "yarrow");
  loader.RegisterFunction(std::move(function));
}

}  // namespace yarrow::sql
