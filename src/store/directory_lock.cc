#include "store/directory_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>

#include "store/home_process.h"

namespace yarrow {

// One in the list of all that were ever open; used again when it is free, so that the handler of fork can walk the list
// without a lock.
struct DirectoryLock::Descriptor {
  std::atomic<int> fd{-1};
  std::atomic<bool> is_used{true};
  std::atomic<uint64_t> device{0}, inode{0};
  Descriptor* next = nullptr;

  static std::atomic<Descriptor*>& List() {
    static constinit std::atomic<Descriptor*> list{nullptr};
    return list;
  }

  static Descriptor* Hold(int opened) {
    static std::once_flag once;
    std::call_once(once, [] { (void)::pthread_atfork(nullptr, nullptr, CloseInChild); });
    struct stat file {};
    (void)::fstat(opened, &file);
    Descriptor* held = Reuse();
    if (held == nullptr) {
      held = new Descriptor;
      held->next = List().load();
      while (!List().compare_exchange_weak(held->next, held)) {
      }
    }
    held->device = file.st_dev;
    held->inode = file.st_ino;
    held->fd = opened;
    return held;
  }

  static Descriptor* Reuse() {
    for (Descriptor* at = List().load(); at != nullptr; at = at->next) {
      bool used = false;
      if (at->is_used.compare_exchange_strong(used, true)) return at;
    }
    return nullptr;
  }

  // A lock of an open file lasts until its last descriptor is closed: the child's would outlive a parent that is
  // killed.
  static void CloseInChild() {
    for (Descriptor* at = List().load(); at != nullptr; at = at->next) {
      const int fd = at->fd.load();
      struct stat file {};
      if (fd < 0 || ::fstat(fd, &file) != 0) continue;
      if (file.st_dev == at->device && file.st_ino == at->inode) ::close(fd);
      at->fd = -1;
    }
  }
};

namespace {

arrow::Status CannotLock(const std::filesystem::path& path, int error) {
  return arrow::Status::IOError("cannot lock '", path.string(), "': ", std::strerror(error),
                                "; a database needs a file system with locks");
}

struct flock WholeOfIt(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// Of file systems that know no flock of directories.
bool MeansNoLockOfDirectories(int error) {
  return error == EBADF || error == EINVAL || error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP;
}

}  // namespace

arrow::Status LockedError(const std::filesystem::path& directory, std::optional<int> holder) {
  const bool is_known = holder.has_value() && *holder > 0;
  if (is_known && *holder == ::getpid()) {
    return arrow::Status::IOError("the database at '", directory.string(),
                                  "' is open in this process already, outside of this copy of Yarrow: close it there");
  }
  return arrow::Status::IOError("the database at '", directory.string(), "' is locked by ",
                                is_known ? "process " + std::to_string(*holder) : "another process",
                                ": close it there, or stop that process, and try again");
}

// A line: "1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF".
std::optional<int> ListedHolder(const char* kind, int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return std::nullopt;
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    std::istringstream words(line);
    std::string number, what, mode, access, place;
    int pid = 0;
    if (!(words >> number >> what >> mode >> access >> pid >> place) || what != kind) continue;
    unsigned long long inode = 0;
    const size_t colon = place.rfind(':');
    if (colon == std::string::npos || !(std::istringstream(place.substr(colon + 1)) >> inode)) continue;
    if (inode == file.st_ino && pid > 0) return pid;
  }
  return std::nullopt;
}

arrow::Status DirectoryLock::Take(const std::filesystem::path& directory, int fd) {
  Release();
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    directory_ = Descriptor::Hold(fd);
    return arrow::Status::OK();
  }
  const int error = errno;
  const std::optional<int> holder = error == EWOULDBLOCK ? ListedHolder("FLOCK", fd) : std::nullopt;
  ::close(fd);
  if (error == EWOULDBLOCK) return LockedError(directory, holder);
  return MeansNoLockOfDirectories(error) ? arrow::Status::OK() : CannotLock(directory, error);
}

arrow::Status DirectoryLock::TakeMarker(const std::filesystem::path& directory, int fd) {
  ReleaseMarker();
  struct flock lock = WholeOfIt(F_WRLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) {
    marker_ = Descriptor::Hold(fd);
    return arrow::Status::OK();
  }
  const int error = errno;
  struct flock known = WholeOfIt(F_WRLCK);
  std::optional<int> holder;
  if (::fcntl(fd, F_OFD_GETLK, &known) == 0 && known.l_type != F_UNLCK) holder = known.l_pid;  // -1: an OFD lock
  ::close(fd);
  if (error == EAGAIN || error == EACCES) return LockedError(directory, holder);
  return CannotLock(directory, error);
}

// By a call and not by closing alone: a child that was made without fork's handlers still has a descriptor.
void DirectoryLock::Unlock(Descriptor** held) {
  if (*held == nullptr || !HomeProcess::IsHome()) return;
  const int fd = (*held)->fd.exchange(-1);
  struct flock none = WholeOfIt(F_UNLCK);
  (void)::fcntl(fd, F_OFD_SETLK, &none);
  (void)::flock(fd, LOCK_UN);
  ::close(fd);
  (*held)->is_used = false;
  *held = nullptr;
}

void DirectoryLock::ReleaseMarker() {
  Unlock(&marker_);
}

void DirectoryLock::Release() {
  Unlock(&marker_);
  Unlock(&directory_);
}

}  // namespace yarrow
