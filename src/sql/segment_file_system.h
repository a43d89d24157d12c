// SegmentFileSystem: how DuckDB's Parquet reader reads segments: through our own checks, so that a damaged file is an
// error that names it and never another answer.
#pragma once

#include <memory>

#include "cold/segment.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// To read the segment by. DuckDB keeps what it has read of a file under its name, which therefore names the contents
// too. REQUIRES: `segment` outlives whoever opens the file.
duckdb::OpenFileInfo SegmentFile(const std::shared_ptr<const cold::Segment>& segment);

void RegisterSegmentFileSystem(duckdb::DatabaseInstance& duckdb);

}  // namespace yarrow::sql
