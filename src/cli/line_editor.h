// LineEditor: a line typed on the terminal, with editing keys and a history that outlives the program (libedit).
#pragma once

#include <memory>
#include <string>

namespace yarrow::cli {

// One at a time, in the thread that made it.
class LineEditor {
 public:
  // `history_file`: read now and written by Remember; a file that cannot be read or written is no error. Empty: none.
  explicit LineEditor(const std::string& history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class Outcome { kLine, kInterrupted, kEnd };
  // Shows `prompt` and waits for a line, which comes without its end; one from the history may have several lines.
  // Ctrl-C: kInterrupted; Ctrl-D on an empty line: kEnd.
  Outcome Read(const std::string& prompt, std::string* line);

  // Adds a statement to the history, with its lines as they are: joined, a comment would go on to the end, and text in
  // quotes would be another one.
  void Remember(const std::string& statement);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yarrow::cli
