#include "cold/open_files.h"

#include <arrow/buffer.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "store/file_limit.h"
#include "store/home_process.h"
#include "store/system_error.h"

namespace yarrow::cold {

namespace fs = std::filesystem;

class OpenFiles::File : public arrow::io::RandomAccessFile {
 public:
  File(OpenFiles* files, fs::path path) : files_(files), path_(std::move(path)) {}
  ~File() override {
    if (HomeProcess::IsHome()) files_->Forget(this);
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int fd, files_->Acquire(this));
    int64_t done = 0;
    arrow::Status status;
    while (done < bytes && status.ok()) {
      const ssize_t got = ::pread(fd, static_cast<char*>(out) + done, static_cast<size_t>(bytes - done),
                                  static_cast<off_t>(position + done));
      if (got == 0) break;
      if (got > 0) done += got;
      if (got < 0 && errno != EINTR) status = SystemError("read", path_, errno);
    }
    files_->Release(this);
    ARROW_RETURN_NOT_OK(status);
    return done;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position, bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read, /*shrink_to_fit=*/false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  using arrow::io::RandomAccessFile::ReadAt;
  arrow::Result<int64_t> GetSize() override { return size_; }

  // Files have no position of their own.
  arrow::Result<int64_t> Read(int64_t, void*) override { return NoPosition(); }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t) override { return NoPosition(); }
  arrow::Status Seek(int64_t) override { return NoPosition(); }
  arrow::Result<int64_t> Tell() const override { return NoPosition(); }
  arrow::Status Close() override { return arrow::Status::OK(); }  // when it is destroyed
  bool closed() const override { return false; }

 private:
  friend class OpenFiles;
  arrow::Status NoPosition() const {
    return arrow::Status::NotImplemented("'", path_.string(), "' is read by positions only");
  }

  OpenFiles* const files_;
  const fs::path path_;
  int64_t size_ = 0;
  std::mutex opening_;
  // Under the mutex of the OpenFiles.
  int fd_ = -1;
  size_t readers_ = 0;
  Idle self_{this};  // unless it is among the idle ones: to go there allocates nothing
  const Idle::iterator place_ = self_.begin();
};

OpenFiles& OpenFiles::OfProcess() {
  static auto* const files = new OpenFiles();  // for files that live longer than the statics
  return *files;
}

size_t OpenFiles::idle() const {
  std::lock_guard lock(mutex_);
  return idle_.size();
}

void OpenFiles::Shrink(size_t most_idle) {
  for (;;) {
    int fd = -1;
    {
      std::lock_guard lock(mutex_);
      if (idle_.size() <= most_idle) return;
      File& last = *idle_.back();
      last.self_.splice(last.self_.begin(), idle_, last.place_);
      fd = std::exchange(last.fd_, -1);
    }
    ::close(fd);
  }
}

arrow::Result<int> OpenFiles::OpenDescriptor(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
    Shrink(0);
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (fd < 0) return SystemError("open", path, errno);
  return fd;
}

arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenFiles::Open(const fs::path& path) {
  auto file = std::make_shared<File>(this, path);
  ARROW_ASSIGN_OR_RAISE(const int fd, OpenDescriptor(path));
  struct stat about {};
  if (::fstat(fd, &about) != 0) {
    const int error = errno;
    ::close(fd);
    return SystemError("look at", path, error);
  }
  file->size_ = about.st_size;
  {
    std::lock_guard lock(mutex_);
    most_idle_ = KeptFilesBudget();
    file->fd_ = fd;
    file->readers_ = 1;
  }
  Release(file.get());
  return file;
}

arrow::Result<int> OpenFiles::Acquire(File* file) {
  const auto take = [&]() -> std::optional<int> {
    std::lock_guard lock(mutex_);
    if (file->fd_ < 0) return std::nullopt;
    if (file->self_.empty()) file->self_.splice(file->self_.begin(), idle_, file->place_);
    ++file->readers_;
    return file->fd_;
  };
  if (const auto fd = take()) return *fd;
  std::lock_guard opening(file->opening_);
  if (const auto fd = take()) return *fd;
  ARROW_ASSIGN_OR_RAISE(const int fd, OpenDescriptor(file->path_));
  std::lock_guard lock(mutex_);
  file->fd_ = fd;
  ++file->readers_;
  return fd;
}

void OpenFiles::Release(File* file) {
  size_t most_idle = 0;
  {
    std::lock_guard lock(mutex_);
    if (--file->readers_ > 0) return;
    idle_.splice(idle_.begin(), file->self_);
    if (idle_.size() <= most_idle_) return;
    most_idle = most_idle_;
  }
  Shrink(most_idle);
}

void OpenFiles::Forget(File* file) {
  int fd = -1;
  {
    std::lock_guard lock(mutex_);
    if (file->self_.empty()) file->self_.splice(file->self_.begin(), idle_, file->place_);
    fd = file->fd_;
  }
  if (fd >= 0) ::close(fd);
}

}  // namespace yarrow::cold
