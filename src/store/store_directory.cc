#include "store/store_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace yarrow {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMarker = "YARROW";
constexpr const char* kCreatingMarker = "YARROW.creating";
constexpr const char* kMarkerText = "yarrow format ";

arrow::Status SystemError(const std::string& what, int error) {
  return arrow::Status::IOError(what, ": ", std::strerror(error));
}

arrow::Status SyncPath(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError("cannot open '" + path.string() + "' to sync it", errno);
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return result == 0 ? arrow::Status::OK() : SystemError("cannot sync '" + path.string() + "'", error);
}

struct flock WholeFile(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string NameProcess(std::optional<int> pid) {
  return pid.has_value() && *pid > 0 ? "process " + std::to_string(*pid) : "another process";
}

// What the entries of a directory without marker make it.
enum class Content { kEmpty, kInterruptedCreation, kForeign };

arrow::Result<Content> Classify(const fs::path& path, std::string* foreign_entry) {
  bool creating = false;
  bool empty = true;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    empty = false;
    if (name == kCreatingMarker)
      creating = true;
    else if (name != "hot" && name != "tmp")
      *foreign_entry = name;
  }
  if (error) return arrow::Status::IOError("cannot list '", path.string(), "': ", error.message());
  if (empty) return Content::kEmpty;
  if (creating && foreign_entry->empty()) return Content::kInterruptedCreation;
  if (foreign_entry->empty()) *foreign_entry = "hot";
  return Content::kForeign;
}

}  // namespace

StoreDirectory::~StoreDirectory() {
  if (creating_fd_ >= 0) ::close(creating_fd_);
}

arrow::Status StoreDirectory::Prepare(bool create_if_missing) {
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (status.type() == fs::file_type::not_found) {
    if (!create_if_missing) {
      return arrow::Status::IOError("there is no database at '", path_.string(),
                                    "': check the path, or open it with create_if_missing");
    }
    fs::create_directories(path_, error);
    if (error) return arrow::Status::IOError("cannot create '", path_.string(), "': ", error.message());
    return StartCreation();
  }
  if (error) return arrow::Status::IOError("cannot look at '", path_.string(), "': ", error.message());
  if (status.type() != fs::file_type::directory) {
    return arrow::Status::IOError("'", path_.string(), "' is not a directory: a Yarrow database is one");
  }
  if (fs::exists(path_ / kMarker, error)) return CheckMarker();
  std::string foreign_entry;
  ARROW_ASSIGN_OR_RAISE(const Content content, Classify(path_, &foreign_entry));
  if (content == Content::kForeign) {
    return arrow::Status::IOError("'", path_.string(), "' is not a Yarrow database: it holds '", foreign_entry,
                                  "' and no marker file ", kMarker, "; choose an empty or new directory");
  }
  if (!create_if_missing) {
    return arrow::Status::IOError("there is no database at '", path_.string(), "' (",
                                  content == Content::kEmpty ? "it is empty" : "its creation was interrupted",
                                  "): open it with create_if_missing");
  }
  return StartCreation();
}

arrow::Status StoreDirectory::CheckMarker() const {
  std::ifstream file(path_ / kMarker, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  const std::string text = bytes.str();
  const size_t prefix = std::strlen(kMarkerText);
  const size_t digits = text.find_first_not_of("0123456789", prefix);
  const bool well_formed = text.starts_with(kMarkerText) && digits != std::string::npos && digits > prefix &&
                           digits - prefix <= 9 && text.substr(digits) == "\n";
  if (!well_formed) {
    return arrow::Status::IOError("the database at '", path_.string(), "' is damaged: its marker file ", kMarker,
                                  " does not read 'yarrow format N'; restore it from a backup");
  }
  const int format = std::stoi(text.substr(prefix));
  if (format > kFormat) {
    return arrow::Status::IOError("the database at '", path_.string(), "' was written by Yarrow format ", format,
                                  ", this program reads up to ", kFormat, ": upgrade it");
  }
  std::error_code error;
  if (!fs::is_directory(hot(), error)) {
    return arrow::Status::IOError("the database at '", path_.string(),
                                  "' is damaged: its folder 'hot' is missing; restore it from a backup");
  }
  return arrow::Status::OK();
}

arrow::Status StoreDirectory::StartCreation() {
  ARROW_ASSIGN_OR_RAISE(const bool locked, LockCreation());
  if (!locked) return CheckMarker();  // another process finished creating it just now
  std::error_code error;
  fs::remove_all(hot(), error);
  if (!error) fs::remove_all(temporary(), error);
  if (!error) fs::create_directory(hot(), error);
  if (error) return arrow::Status::IOError("cannot prepare '", path_.string(), "': ", error.message());
  return SyncPath(path_);
}

arrow::Result<bool> StoreDirectory::LockCreation() {
  const fs::path marker = path_ / kCreatingMarker;
  creating_fd_ = ::open(marker.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (creating_fd_ < 0) return SystemError("cannot create '" + marker.string() + "'", errno);
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(creating_fd_, F_SETLK, &lock) != 0) {
    struct flock holder = WholeFile(F_WRLCK);
    std::optional<int> pid;
    if (::fcntl(creating_fd_, F_GETLK, &holder) == 0) pid = holder.l_pid;
    return arrow::Status::IOError("the database at '", path_.string(), "' is being created by ", NameProcess(pid),
                                  ": try again when it is done");
  }
  struct stat opened {};
  struct stat named {};
  const bool same = ::fstat(creating_fd_, &opened) == 0 && ::stat(marker.c_str(), &named) == 0 &&
                    opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  std::error_code error;
  if (same && !fs::exists(path_ / kMarker, error)) return true;
  ::close(creating_fd_);
  creating_fd_ = -1;
  if (same) fs::remove(marker, error);
  return false;
}

arrow::Status StoreDirectory::FinishCreation() {
  const std::string text = kMarkerText + std::to_string(kFormat) + "\n";
  const ssize_t size = static_cast<ssize_t>(text.size());
  if (::ftruncate(creating_fd_, 0) != 0 || ::pwrite(creating_fd_, text.data(), text.size(), 0) != size ||
      ::fsync(creating_fd_) != 0) {
    return SystemError("cannot write '" + (path_ / kCreatingMarker).string() + "'", errno);
  }
  if (::rename((path_ / kCreatingMarker).c_str(), (path_ / kMarker).c_str()) != 0) {
    return SystemError("cannot write '" + (path_ / kMarker).string() + "'", errno);
  }
  ARROW_RETURN_NOT_OK(SyncPath(path_));
  std::error_code error;
  const fs::path parent = path_.parent_path();
  if (fs::exists(parent, error)) ARROW_RETURN_NOT_OK(SyncPath(parent));
  ::close(creating_fd_);
  creating_fd_ = -1;
  return arrow::Status::OK();
}

arrow::Status StoreDirectory::SweepTemporary() const {
  std::error_code error;
  fs::remove_all(temporary(), error);
  if (!error) fs::create_directory(temporary(), error);
  if (error) return arrow::Status::IOError("cannot sweep '", temporary().string(), "': ", error.message());
  return arrow::Status::OK();
}

std::optional<int> StoreDirectory::LockHolder() const {
  const int fd = ::open((hot() / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct flock lock = WholeFile(F_WRLCK);
  const bool held = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(fd);
  if (!held) return std::nullopt;
  return lock.l_pid;
}

}  // namespace yarrow
