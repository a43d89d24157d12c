// How a SQL scan reads the rows of segments.
#pragma once

#include "scan/cold_pieces.h"
#include "sql/duckdb_api.h"
#include "sql/segment_filters.h"

namespace yarrow::sql {

enum class ColdWay {
  kAsRows,   // by RowWalker with the hot ones: with their keys, a few, or one by one
  kInOrder,  // by OrderedScan with the hot ones
  kByScan,   // by parquet_scan, behind the hot ones
  kCounted,  // not at all: only their number is asked
};

struct ColdChoice {
  ColdWay way = ColdWay::kAsRows;
  SegmentFilters filters = nullptr;  // for kByScan
};

// The fastest that answers the scan. `scan`: of yarrow_scan; `plan` and `cold` are what it became.
ColdChoice ChooseColdWay(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& scan,
                         const ScanPlan& plan, const ColdPieces& cold);

}  // namespace yarrow::sql
