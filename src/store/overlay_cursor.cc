#include "store/overlay_cursor.h"

#include <algorithm>
#include <utility>

namespace yarrow {

void OverlayCursor::Position(const WriteSet::View& view, Partition partition, std::string_view lower,
                             std::string_view upper, const std::string_view* target, bool reverse) {
  heads_ = KeyHeap<Head, IsBefore>(IsBefore{reverse});
  step_ = reverse ? -1 : 1;
  partition_id_ = partition.id();
  if (view.runs_ == nullptr) return;
  size_t age = 0;
  for (const WriteSet::Run& sealed : *view.runs_) {
    if (sealed.external != nullptr) continue;
    Head head;
    head.age = ++age;
    if (sealed.file != nullptr) {
      if (sealed.file->partition().id() != partition.id()) continue;
      head.file = std::make_unique<FileRunCursor>(*sealed.file);
      head.file->Position(lower, upper, target, reverse);
    } else {
      const WriteRun& run = *sealed.memory;
      auto begin = static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), lower));
      auto end = static_cast<std::ptrdiff_t>(upper.empty() ? run.PartitionEnd(partition.id())
                                                           : run.LowerBound(partition.id(), upper));
      if (target != nullptr && !reverse) {
        begin = std::max(begin, static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), *target)));
      } else if (target != nullptr) {
        const std::string behind = std::string(*target) + '\0';  // the smallest key above the target
        end = std::min(end, static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), behind)));
      }
      if (begin >= end) continue;
      head.ops = &run.ops();
      head.at = reverse ? end - 1 : begin;
      head.end = reverse ? begin - 1 : end;
    }
    if (Load(&head)) heads_.Push(std::move(head));
  }
}

bool OverlayCursor::Load(Head* head) {
  if (head->file == nullptr) {
    if (head->at == head->end) return false;
    head->op = (*head->ops)[static_cast<size_t>(head->at)];
    return true;
  }
  if (!head->file->valid()) {
    if (status_.ok()) status_ = head->file->status();
    return false;
  }
  const std::string_view key = head->file->key();
  const std::string_view value = head->file->value();
  head->op = {.key_data = key.data(),
              .value_data = value.data(),
              .key_size = static_cast<uint32_t>(key.size()),
              .value_size = static_cast<uint32_t>(value.size()),
              .partition_id = partition_id_,
              .kind = head->file->kind()};
  return true;
}

void OverlayCursor::Advance() {
  passed_ = heads_.top().op.key();
  while (!heads_.empty() && heads_.top().op.key() == passed_) {
    Head& head = heads_.top();
    head.file != nullptr ? head.file->Advance() : void(head.at += step_);
    Load(&head) ? heads_.MovedOn() : void(heads_.Pop());
  }
}

}  // namespace yarrow
