// Tells ThreadSanitizer which calls it cannot follow.
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace yarrow {

// While it lives, memory accesses of this thread are not checked. For calls into RocksDB, which hands batches from
// thread to thread with atomics that ThreadSanitizer does not see: the library is not instrumented. Without
// ThreadSanitizer it is nothing.
class UncheckedCall {
 public:
#if defined(__SANITIZE_THREAD__)
  UncheckedCall() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~UncheckedCall() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  UncheckedCall() {}
  ~UncheckedCall() {}
#endif
  UncheckedCall(const UncheckedCall&) = delete;
  UncheckedCall& operator=(const UncheckedCall&) = delete;
};

}  // namespace yarrow
