#include "flush/present_table.h"

#include <utility>

namespace yarrow::flush {

arrow::Result<std::shared_ptr<TableImpl>> WithPresentDefinition(const std::shared_ptr<TableImpl>& table) {
  auto latest = table->database().catalog().FindLatest(table->entry());
  if (latest.get() == &table->entry()) return table;
  if (latest) return TableImpl::Make(table->database().shared_from_this(), std::move(latest), table->user());
  ARROW_RETURN_NOT_OK(table->CheckReadable({}));
  return table;
}

}  // namespace yarrow::flush
