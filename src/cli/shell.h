// Shell: SQL statements and dot commands, typed or from a script, one after the other.
#pragma once

#include <arrow/status.h>

#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/row_writer.h"
#include "cli/statement_scanner.h"
#include "sql/sql_session.h"

namespace yarrow::cli {

// What the commands work on. Not thread-safe.
class Shell {
 public:
  // `directory` is that of the session's database.
  Shell(std::string directory, std::string user, std::unique_ptr<sql::SqlSession> session, OutputFormat format);

  // Takes one more line. A line that starts with a dot where a statement would start is a command; other lines are
  // collected until a statement is complete, which is then run. The error is that of the command or statement; what
  // was collected is forgotten.
  arrow::Status Feed(std::string_view line);
  // The same for one or more lines, as the history brings them.
  arrow::Status FeedLines(std::string_view lines);
  // Runs what is left: the last statement of a script needs no semicolon.
  arrow::Status FeedEnd();
  // All lines of a script; ends at the first error.
  arrow::Status FeedAll(std::istream& script);

  // In the middle of a statement.
  bool is_inside() const { return !scanner_.is_blank(); }
  void Forget();
  bool is_over() const { return is_over_; }

  // Commands that read files are refused.
  void set_confined(bool confined) { confined_ = confined; }

  // Called with each whole statement and command before it runs, but those of scripts that .read reads.
  void set_on_input(std::function<void(const std::string&)> on_input) { on_input_ = std::move(on_input); }

 private:
  friend struct ShellCommands;
  arrow::Status RunStatements(const std::string& sql);
  arrow::Status Print(const sql::SqlResult& result);
  arrow::Status RunCommand(std::string_view line);
  void TellInput(const std::string& input);

  const std::string directory_;
  const std::string user_;
  const std::unique_ptr<sql::SqlSession> session_;
  OutputFormat format_;
  bool confined_ = false;
  bool timer_ = false;
  bool is_over_ = false;
  int depth_ = 0;  // of scripts that .read reads
  StatementScanner scanner_;
  std::string pending_;
  std::function<void(const std::string&)> on_input_;
};

// Reads statements from the terminal until .quit or Ctrl-D. Errors are printed, Ctrl-C cancels the statement that runs
// or drops the one that is typed.
arrow::Status RunInteractively(Shell* shell);

}  // namespace yarrow::cli
