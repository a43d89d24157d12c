// yarrow_ingest(): the rows of a stream that a program gave to its connection, for the statement that takes them in. No
// address stands in the statement, so that nobody can write one.
#pragma once

struct ArrowArrayStream;

namespace duckdb {
class ClientContext;
class DatabaseInstance;
}  // namespace duckdb

namespace yarrow::sql {

// While it lives, yarrow_ingest() in statements of the connection reads the stream, once.
class IngestStream {
 public:
  IngestStream(duckdb::ClientContext& context, ArrowArrayStream* stream);
  ~IngestStream();
  IngestStream(const IngestStream&) = delete;
  IngestStream& operator=(const IngestStream&) = delete;

  static constexpr const char* kSelect = "SELECT * FROM system.main.yarrow_ingest()";

 private:
  duckdb::ClientContext& context_;
};

void RegisterIngestFunction(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
