// The table as it is now: jobs on a table go by that, however long ago it was opened.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "table/table_impl.h"

namespace yarrow::flush {

// The table with its present definition; as it is when nobody else knows of it yet. An error when it was dropped.
arrow::Result<std::shared_ptr<TableImpl>> WithPresentDefinition(const std::shared_ptr<TableImpl>& table);

}  // namespace yarrow::flush
