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

static void* TryAllocate(std::size_t size) noexcept {
  if (left == 0) {
    has_failed = true;
    return nullptr;
  }
  if (left > 0) --left;
  return std::malloc(size == 0 ? 1 : size);
}

static void* Allocate(std::size_t size) {
  void* const memory = TryAllocate(size);
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
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return yarrow::test::TryAllocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return yarrow::test::TryAllocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

#if defined(__SANITIZE_ADDRESS__)
// What the program allocates is freed by shared libraries, which have the sanitizer's operator delete, and the other
// way round. All of it is malloc's memory.
extern "C" const char* __asan_default_options() {
  return "alloc_dealloc_mismatch=0";
}
#endif
