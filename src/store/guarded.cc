#include "store/guarded.h"

#include <pthread.h>

#include <exception>
#include <new>
#include <system_error>
#include <utility>

namespace yarrow {

arrow::Status StatusOfException() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is not enough memory");
  } catch (const std::exception& exception) {
    return arrow::Status::UnknownError(exception.what());
  } catch (...) {
    return arrow::Status::UnknownError("an exception that says nothing");
  }
}

arrow::Result<std::thread> StartThread(const char* name, std::function<void()> work) {
  try {
    return std::thread([name, work = std::move(work)] {
      ::pthread_setname_np(::pthread_self(), name);
      work();
    });
  } catch (const std::system_error& error) {
    return arrow::Status::IOError("cannot start a thread: ", error.code().message());
  }
}

}  // namespace yarrow
