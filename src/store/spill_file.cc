#include "store/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "store/system_error.h"

namespace yarrow {

arrow::Result<std::shared_ptr<SpillFile>> SpillFile::Create(const std::filesystem::path& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {  // not on every file system
    std::string name = (folder / "spill-XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  if (fd < 0) return SystemError("create a file in", folder, errno);
  return std::shared_ptr<SpillFile>(new SpillFile(fd, folder));
}

SpillFile::~SpillFile() {
  ::close(fd_);
}

arrow::Status SpillFile::Write(uint64_t offset, const void* bytes, size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::pwrite(fd_, from, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return SystemError("write to a file in", folder_, written < 0 ? errno : ENOSPC);
    from += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return arrow::Status::OK();
}

arrow::Status SpillFile::Read(uint64_t offset, void* bytes, size_t size) const {
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t read = ::pread(fd_, to, size, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return SystemError("read a file in", folder_, read < 0 ? errno : EIO);
    to += read;
    offset += static_cast<uint64_t>(read);
    size -= static_cast<size_t>(read);
  }
  return arrow::Status::OK();
}

void SpillFile::Free(uint64_t offset, uint64_t size) {
  (void)::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(size));
}

}  // namespace yarrow
