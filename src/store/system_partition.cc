#include "store/system_partition.h"

#include "store/home_process.h"
#include "store/store_impl.h"

namespace yarrow {

bool IsReservedPartition(std::string_view name) {
  return name == rocksdb::kDefaultColumnFamilyName || name == "rows" || name == "counters" || name == "system" ||
         name.starts_with("system.");
}

arrow::Result<Partition> OpenSystemPartition(Store& store, std::string_view name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (!IsReservedPartition(name)) return arrow::Status::Invalid("the partition '", name, "' is none of Yarrow's");
  return store.impl()->OpenPartition(name);
}

}  // namespace yarrow
