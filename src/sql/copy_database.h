// COPY FROM DATABASE into a database of ours.
//
// DuckDB runs the statement as two: one makes the tables, whose indexes are made by us, one fills them all. A table may
// be filled before the one that its FOREIGN KEYs refer to, so these are checked when all are full.
#pragma once

namespace duckdb {
struct DBConfig;
}  // namespace duckdb

namespace yarrow::sql {

void RegisterDatabaseCopies(duckdb::DBConfig& config);

}  // namespace yarrow::sql
