#include "cli/shell.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <utility>

#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/standard_output.h"

namespace yarrow::cli {
namespace {

using arrow::Status;

// EXPLAIN's answer: drawings of several lines, which no table should hold.
bool IsExplanation(const arrow::Schema& schema) {
  return schema.num_fields() == 2 && schema.field(0)->name() == "explain_key" &&
         schema.field(1)->name() == "explain_value" && schema.field(1)->type()->id() == arrow::Type::STRING;
}

Status PrintExplanation(arrow::RecordBatchReader& rows) {
  const auto out = StandardOutput();
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(rows.ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(1));
    for (int64_t i = 0; i < texts.length(); ++i) {
      const std::string_view text = texts.GetView(i);
      ARROW_RETURN_NOT_OK(out->Write(text));
      if (!text.ends_with('\n')) ARROW_RETURN_NOT_OK(out->Write("\n"));
    }
  }
}

std::string HistoryFile() {
  if (const char* file = std::getenv("YARROW_HISTORY")) return file;
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.yarrow_history";
}

}  // namespace

Shell::Shell(std::string directory, std::string user, std::unique_ptr<sql::SqlSession> session, OutputFormat format)
    : directory_(std::move(directory)), user_(std::move(user)), session_(std::move(session)), format_(format) {}

Status Shell::Feed(std::string_view line) {
  if (scanner_.is_blank() && line.starts_with('.')) {
    TellInput(std::string(line));
    return RunCommand(line);
  }
  scanner_.Add(line);
  pending_.append(line).append("\n");
  return scanner_.is_complete() ? FeedEnd() : Status::OK();
}

Status Shell::FeedEnd() {
  const bool is_blank = scanner_.is_blank();
  const std::string sql = std::exchange(pending_, {});
  scanner_.Reset();
  if (is_blank) return Status::OK();
  TellInput(sql);
  return RunStatements(sql);
}

void Shell::TellInput(const std::string& input) {
  if (on_input_ && depth_ == 0) on_input_(input);
}

Status Shell::FeedLines(std::string_view lines) {
  while (!is_over_) {
    const size_t end = lines.find('\n');
    ARROW_RETURN_NOT_OK(Feed(lines.substr(0, end)));
    if (end == std::string_view::npos) break;
    lines.remove_prefix(end + 1);
  }
  return Status::OK();
}

Status Shell::FeedAll(std::istream& script) {
  std::string line;
  while (!is_over_ && std::getline(script, line)) {
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    ARROW_RETURN_NOT_OK(Feed(line));
  }
  ARROW_RETURN_NOT_OK(CheckInterrupt());
  if (script.bad()) return Status::IOError("cannot read the script");
  return is_over_ ? Status::OK() : FeedEnd();
}

void Shell::Forget() {
  pending_.clear();
  scanner_.Reset();
}

Status Shell::RunStatements(const std::string& sql) {
  const auto start = std::chrono::steady_clock::now();
  session_->EndInterrupt();
  const CancelOnInterrupt cancel([this] { session_->Interrupt(); });
  const bool as_json = format_ == OutputFormat::kJson || format_ == OutputFormat::kJsonLines;
  ARROW_RETURN_NOT_OK(session_->Run(
      sql, [this](const sql::SqlResult& result) { return Print(result); },
      as_json ? sql::NestedValues::kAsArrow : sql::NestedValues::kAsText));
  if (!timer_) return Status::OK();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return StandardOutput()->Write(fmt::format("run time: {:.3f} ms\n", elapsed.count()));
}

Status Shell::Print(const sql::SqlResult& result) {
  if (result.is_query && IsExplanation(*result.rows->schema()) && format_ == OutputFormat::kTable) {
    return PrintExplanation(*result.rows);
  }
  const auto out = StandardOutput();
  std::unique_ptr<RowWriter> writer;
  if (result.is_query) {
    ARROW_ASSIGN_OR_RAISE(writer, MakeRowWriter(format_, *result.rows->schema(), out.get()));
  }
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(result.rows->ReadNext(&batch));
    ARROW_RETURN_NOT_OK(CheckInterrupt());
    if (batch == nullptr) break;
    if (writer) ARROW_RETURN_NOT_OK(writer->Write(*batch));
  }
  return writer ? writer->Finish() : Status::OK();
}

Status RunInteractively(Shell* shell) {
  LineEditor editor(HistoryFile());
  shell->set_on_input([&](const std::string& input) { editor.Remember(input); });
  SurviveInterrupts();
  while (!shell->is_over()) {
    std::string line;
    const auto outcome = editor.Read(shell->is_inside() ? "   ...> " : "yarrow> ", &line);
    ForgetCtrlC();  // a line, or a statement below, was cancelled
    if (InterruptSignal() != 0) return Status::Cancelled("terminated");
    if (outcome == LineEditor::Outcome::kInterrupted) {
      shell->Forget();
      continue;
    }
    if (outcome == LineEditor::Outcome::kEnd) {
      fmt::print("\n");
      return Status::OK();
    }
    const Status done = shell->FeedLines(line);
    ForgetCtrlC();
    if (InterruptSignal() != 0) return Status::Cancelled("terminated");
    if (done.ok()) continue;
    if (IsBrokenPipe(done)) return done;
    fmt::print(stderr, "{}\n", done.message());
  }
  return Status::OK();
}

}  // namespace yarrow::cli
