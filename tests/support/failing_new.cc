#include "failing_new.h"

#include <cstdlib>
#include <new>

namespace yarrow::test {
namespace {

constexpr int64_t kNever = -1;
thread_local int64_t left = kNever;  // allocations that still succeed
thread_local bool has_failed = false;

}  // namespace

FailingNew::FailingNew(int64_t first) {
  has_failed = false;
  left = first;
}
FailingNew::~FailingNew() {
  left = kNever;
}
bool FailingNew::failed() const {
  return has_failed;
}

static void* Allocate(std::size_t size) {
  if (left == 0) {
    has_failed = true;
    throw std::bad_alloc();
  }
  if (left > 0) --left;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace yarrow::test

void* operator new(std::size_t size) {
  return yarrow::test::Allocate(size);
}
void* operator new[](std::size_t size) {
  return yarrow::test::Allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
