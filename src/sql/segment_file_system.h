// SegmentFileSystem: how DuckDB's Parquet reader reads segments: through our own checks, so that a damaged file is an
// error that names it and never another answer.
#pragma once

#include <memory>

#include "sql/duckdb_api.h"
#include "tier/cold_table.h"

namespace yarrow::sql {

// To read the segment by; it is opened with the file. DuckDB keeps what it has read of a file under its name, which
// therefore names the contents too. REQUIRES: `segment` outlives whoever opens the file.
duckdb::OpenFileInfo SegmentFile(const ColdSegment& segment);

// Whether DuckDB's setting enable_external_access lets its Parquet reader have them.
bool MayReadSegmentFiles(duckdb::ClientContext& context);
// Lets it have them, whatever the setting says from now on.
void AllowSegmentFiles(duckdb::DatabaseInstance& duckdb);

void RegisterSegmentFileSystem(duckdb::DatabaseInstance& duckdb);

}  // namespace yarrow::sql
