#include "row/row_expression.h"

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace yarrow {
namespace {

using arrow::Status;

std::atomic<RowExpressionCompiler> compiler_of_process{nullptr};

class LazyExpression : public RowExpression {
 public:
  explicit LazyExpression(RowExpressionSpec spec) : spec_(std::move(spec)) {}

  arrow::Result<Value> Evaluate(std::span<const Value> arguments) const override {
    ARROW_ASSIGN_OR_RAISE(const RowExpression* const compiled, Compiled());
    return Named(compiled->Evaluate(arguments));
  }

  arrow::Result<std::vector<Value>> EvaluateRows(const std::shared_ptr<const RowSchema>& schema,
                                                 std::span<const int> positions,
                                                 std::span<const StoredRow> rows) const override {
    ARROW_ASSIGN_OR_RAISE(const RowExpression* const compiled, Compiled());
    return Named(compiled->EvaluateRows(schema, positions, rows));
  }

  arrow::Result<const RowExpression*> Compiled() const override {
    if (const RowExpression* const ready = ready_.load(std::memory_order_acquire)) return ready;
    const RowExpressionCompiler compiler = compiler_of_process.load();
    if (compiler == nullptr) {
      return Status::NotImplemented("the index expression (", spec_.sql,
                                    ") is computed by SQL, which this program does not use: call "
                                    "sql::RegisterIndexExpressions of yarrow/sql.h first, or drop the index");
    }
    const std::lock_guard lock(mutex_);
    if (compiled_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(compiled_, compiler(spec_));
      ready_.store(compiled_.get(), std::memory_order_release);
    }
    return compiled_.get();
  }

 private:
  template <class T>
  arrow::Result<T> Named(arrow::Result<T> computed) const {
    if (computed.ok()) return computed;
    return computed.status().WithMessage("the index expression (", spec_.sql, "): ", computed.status().message());
  }

  const RowExpressionSpec spec_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const RowExpression> compiled_;  // under mutex_
  mutable std::atomic<const RowExpression*> ready_{nullptr};
};

std::string KeyOf(const RowExpressionSpec& spec) {
  std::string key = spec.sql + '\0' + spec.type.ToString();
  for (const auto& argument : spec.arguments) key += '\0' + argument.name + '\0' + argument.type.ToString();
  return key;
}

// Those in use. Others cost a look now and then, and go.
struct OpenExpressions {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const RowExpression>> by_key;
  size_t most = 64;  // before those that nobody uses go
};

}  // namespace

void SetRowExpressionCompiler(RowExpressionCompiler compiler) {
  compiler_of_process = compiler;
}

std::shared_ptr<const RowExpression> OpenRowExpression(RowExpressionSpec spec) {
  static auto* const open = new OpenExpressions;  // tables may outlive what ends with the process
  const std::lock_guard lock(open->mutex);
  auto& known = open->by_key[KeyOf(spec)];
  if (auto expression = known.lock()) return expression;
  auto made = std::make_shared<const LazyExpression>(std::move(spec));
  known = made;
  if (open->by_key.size() > open->most) {
    std::erase_if(open->by_key, [](const auto& one) { return one.second.expired(); });
    open->most = 2 * open->by_key.size() + 64;
  }
  return made;
}

}  // namespace yarrow
