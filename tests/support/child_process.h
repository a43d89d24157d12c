// For tests that need a second process: runs the test program once more, with one job to do.
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace yarrow::test {

// Runs TEST(ChildProcess, <job>) of this program in a process of its own, which finds `path` by ChildPath(). The child
// is started by exec, so it has none of our threads and locks; what it prints comes back through ReadLine.
class ChildProcess {
 public:
  ChildProcess(const std::string& job, const std::filesystem::path& path) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) std::abort();
    const std::string filter = "--gtest_filter=ChildProcess." + job;
    const std::string path_text = path.string();
    const std::string output = std::to_string(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setenv("YARROW_CHILD_PATH", path_text.c_str(), 1);
      ::setenv("YARROW_CHILD_OUTPUT", output.c_str(), 1);
      ::execl("/proc/self/exe", "child", filter.c_str(), "--gtest_also_run_disabled_tests", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    input_ = ends[0];
  }
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // What the child wrote up to the next line end; empty when it has ended.
  std::string ReadLine() {
    std::string line;
    for (char c = 0; ::read(input_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }

  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ::close(input_);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
};

// In the child: null when this is no child.
inline const char* ChildPath() {
  return std::getenv("YARROW_CHILD_PATH");
}

inline void WriteToParent(const std::string& line) {
  const std::string text = line + "\n";
  const int fd = std::atoi(std::getenv("YARROW_CHILD_OUTPUT"));
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

}  // namespace yarrow::test
