#include "cold/file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "cold/open_files.h"
#include "store/home_process.h"
#include "store/system_error.h"

namespace yarrow::cold {

namespace fs = std::filesystem;

namespace {

class OsWritableFile : public WritableFile {
 public:
  OsWritableFile(fs::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~OsWritableFile() override {
    if (fd_ >= 0) ::close(fd_);
  }

  arrow::Status Append(std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError("write", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return arrow::Status::OK();
  }
  arrow::Status Sync() override { return ::fsync(fd_) == 0 ? arrow::Status::OK() : SystemError("sync", path_, errno); }
  arrow::Status Close() override {
    const int fd = std::exchange(fd_, -1);
    return ::close(fd) == 0 ? arrow::Status::OK() : SystemError("close", path_, errno);
  }

 private:
  const fs::path path_;
  int fd_;
};

class OsFileSystemImpl : public FileSystem {
 public:
  arrow::Result<std::unique_ptr<WritableFile>> Create(const fs::path& path) override {
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return SystemError("create", path, errno);
    return std::make_unique<OsWritableFile>(path, fd);
  }
  arrow::Status Rename(const fs::path& from, const fs::path& to) override {
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    std::error_code error;
    fs::rename(from, to, error);
    return error ? SystemError("rename to", to, error.value()) : arrow::Status::OK();
  }
  arrow::Status Remove(const fs::path& path) override {
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    std::error_code error;
    fs::remove(path, error);
    return error ? SystemError("remove", path, error.value()) : arrow::Status::OK();
  }
  arrow::Status SyncFolder(const fs::path& folder) override {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return SystemError("open the folder", folder, errno);
    const int failed = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    return failed == 0 ? arrow::Status::OK() : SystemError("sync the folder", folder, error);
  }
  arrow::Status CreateFolder(const fs::path& folder) override {
    ARROW_RETURN_NOT_OK(HomeProcess::Check());
    std::error_code error;
    fs::create_directory(folder, error);
    return error ? SystemError("make the folder", folder, error.value()) : arrow::Status::OK();
  }
  arrow::Result<bool> Exists(const fs::path& path) override {
    std::error_code error;
    const bool exists = fs::exists(path, error);
    if (error) return SystemError("look for", path, error.value());
    return exists;
  }
  arrow::Result<std::vector<std::string>> List(const fs::path& folder) override {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return SystemError("list the folder", folder, error.value());
    std::ranges::sort(names);
    return names;
  }
  arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const fs::path& path) override {
    return OpenFiles::OfProcess().Open(path);
  }
};

}  // namespace

FileSystem& OsFileSystem() {
  static OsFileSystemImpl files;
  return files;
}

arrow::Status CreateFoldersDurably(FileSystem& files, const fs::path& root, const fs::path& below) {
  fs::path parent = root;
  for (const fs::path& name : below) {
    const fs::path folder = parent / name;
    ARROW_RETURN_NOT_OK(files.CreateFolder(folder));
    ARROW_RETURN_NOT_OK(files.SyncFolder(parent));
    parent = folder;
  }
  return arrow::Status::OK();
}

}  // namespace yarrow::cold
