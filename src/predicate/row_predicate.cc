#include "predicate/row_predicate.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include "predicate/comparison.h"
#include "predicate/normal_form.h"
#include "predicate/struct_field.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

// Where a program stops; every number below them is a position in it.
constexpr uint32_t kStopDamaged = UINT32_MAX;
constexpr uint32_t kStopTrue = UINT32_MAX - 1;
constexpr uint32_t kStopFalse = UINT32_MAX - 2;

// Comparisons in the order in which they run. Each says which one runs next, by its outcome: AND and OR are only jumps.
struct VersionProgram {
  const RowSchema::Version* version = nullptr;
  std::vector<Comparison> code;
  uint32_t start = kStopTrue;
  bool reads_key = false;
};

void CollectColumns(const Predicate& predicate, std::vector<int>* columns) {
  if (predicate.column() >= 0) columns->push_back(predicate.column());
  if (predicate.kind() == Kind::kField) return;  // the columns below are none of the table
  for (const Predicate& child : predicate.children()) CollectColumns(child, columns);
}

arrow::Result<bool> FieldHolds(const Predicate& leaf, const Value& value, const ColumnType& type) {
  ARROW_ASSIGN_OR_RAISE(const auto test, StructFieldTest::Make(leaf, type));
  return (value.is_null() ? test->RunOnNull() : test->Run(value.get<std::string>())) == Outcome::kHolds;
}

// Writes the programs of versions of a table for one predicate. What does not depend on the version (operands, sets of
// IN lists) is made once.
class Compiler {
 public:
  Compiler(const Predicate& predicate, const RowSchema& row_schema) : predicate_(predicate), row_schema_(row_schema) {}

  arrow::Result<VersionProgram> Compile(const RowSchema::Version& version) {
    program_ = VersionProgram{.version = &version, .code = {}};
    next_leaf_ = 0;
    ARROW_ASSIGN_OR_RAISE(program_.start, Emit(predicate_, kStopTrue, kStopFalse));
    // Emitted from the end, because a jump must know its target.
    std::reverse(program_.code.begin(), program_.code.end());
    program_.start = Reversed(program_.start);
    for (Comparison& comparison : program_.code) {
      for (uint32_t& next : comparison.next) next = Reversed(next);
    }
    return std::move(program_);
  }

 private:
  uint32_t Reversed(uint32_t position) const {
    return position >= kStopFalse ? position : static_cast<uint32_t>(program_.code.size()) - 1 - position;
  }

  // Emits the code that goes on at `if_true` or `if_false`; its first position.
  arrow::Result<uint32_t> Emit(const Predicate& predicate, uint32_t if_true, uint32_t if_false) {
    if (predicate.kind() == Kind::kTrue) return if_true;
    if (predicate.kind() == Kind::kFalse) return if_false;
    if (predicate.kind() != Kind::kAnd && predicate.kind() != Kind::kOr)
      return EmitLeaf(predicate, nullptr, if_true, if_false);
    const bool is_and = predicate.kind() == Kind::kAnd;
    uint32_t next = is_and ? if_true : if_false;
    const auto& children = predicate.children();
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      if (is_and && std::next(child) != children.rend() && AreBounds(*std::next(child), *child)) {
        ARROW_ASSIGN_OR_RAISE(next, EmitLeaf(*std::next(child), &*child, next, if_false));
        ++child;
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(next, is_and ? Emit(*child, next, if_false) : Emit(*child, if_true, next));
    }
    return next;
  }

  // Whether the two are both ends of an interval; in normal form they are neighbours.
  bool AreBounds(const Predicate& low, const Predicate& high) const {
    const auto is = [](const Predicate& leaf, Op op, Op other) {
      return leaf.kind() == Kind::kCompare && (leaf.op() == op || leaf.op() == other);
    };
    return is(low, Op::kGt, Op::kGe) && is(high, Op::kLt, Op::kLe) && low.column() == high.column() &&
           CanBeBetween(row_schema_.columns()[static_cast<size_t>(low.column())].type);
  }

  arrow::Result<Comparison> Make(const Predicate& leaf, const Predicate* high, RowSchema::Place::Kind kind) const {
    return high == nullptr ? MakeComparison(leaf, row_schema_, kind) : MakeBetween(leaf, *high, row_schema_, kind);
  }

  // With `high`, `leaf` is the lower bound of the same column.
  arrow::Result<uint32_t> EmitLeaf(const Predicate& leaf, const Predicate* high, uint32_t if_true, uint32_t if_false) {
    const size_t leaf_number = next_leaf_++;
    const auto column = static_cast<size_t>(AsLeaf(leaf).test.column());
    const RowSchema::Place& place = program_.version->places[column];
    if (place.kind == RowSchema::Place::kDefault) {
      const Value& value = row_schema_.columns()[column].older_value();
      if (leaf.kind() == Kind::kField) {
        ARROW_ASSIGN_OR_RAISE(const bool holds, FieldHolds(leaf, value, row_schema_.columns()[column].type));
        return holds ? if_true : if_false;
      }
      return LeafHolds(leaf, value) && (high == nullptr || LeafHolds(*high, value)) ? if_true : if_false;
    }
    const bool is_field = place.kind == RowSchema::Place::kField;
    auto& cache = is_field ? field_comparisons_ : key_comparisons_;
    if (cache.size() <= leaf_number) cache.resize(leaf_number + 1);
    if (!cache[leaf_number]) {
      ARROW_ASSIGN_OR_RAISE(cache[leaf_number], Make(leaf, high, place.kind));
    }
    Comparison comparison = *cache[leaf_number];
    if (is_field) {
      const auto field = static_cast<size_t>(place.index);
      const ColumnType& stored = program_.version->layout.type(field);
      const ColumnType& type = row_schema_.columns()[column].type;
      if (stored != type) CompareWidened(stored, type, leaf, high != nullptr, &comparison);
      PlaceField(program_.version->layout, field, &comparison);
    }
    program_.reads_key |= !is_field;
    comparison.next[static_cast<size_t>(Outcome::kFails)] = if_false;
    comparison.next[static_cast<size_t>(Outcome::kHolds)] = if_true;
    comparison.next[static_cast<size_t>(Outcome::kDamaged)] = kStopDamaged;
    program_.code.push_back(std::move(comparison));
    return static_cast<uint32_t>(program_.code.size()) - 1;
  }

  const Predicate& predicate_;
  const RowSchema& row_schema_;
  VersionProgram program_;
  size_t next_leaf_ = 0;
  std::vector<std::optional<Comparison>> field_comparisons_;  // by number of the leaf, not yet placed
  std::vector<std::optional<Comparison>> key_comparisons_;
};

}  // namespace

struct RowPredicate::Program {
  std::shared_ptr<const RowSchema> row_schema;
  Predicate normal;
  VersionProgram current;  // of the present schema version
  std::vector<int> columns;
  size_t key_prefix_size = 0;
  int64_t fixed_key_size = -1;  // of whole keys, if they are all of one size
};

RowPredicate::RowPredicate() = default;
RowPredicate::~RowPredicate() = default;

arrow::Result<std::shared_ptr<const RowPredicate>> RowPredicate::Compile(const Predicate& predicate,
                                                                         std::shared_ptr<const RowSchema> row_schema) {
  ARROW_RETURN_NOT_OK(CheckPredicate(predicate, *row_schema));
  auto program = std::make_unique<Program>();
  program->normal = NormalForm(predicate);
  ARROW_ASSIGN_OR_RAISE(program->current, Compiler(program->normal, *row_schema).Compile(row_schema->current()));
  CollectColumns(program->normal, &program->columns);
  std::ranges::sort(program->columns);
  program->columns.erase(std::unique(program->columns.begin(), program->columns.end()), program->columns.end());
  program->key_prefix_size = row_schema->key_prefix_size();
  if (const int32_t size = row_schema->key_codec().fixed_size(); size >= 0) {
    program->fixed_key_size = static_cast<int64_t>(program->key_prefix_size) + size;
  }
  program->row_schema = std::move(row_schema);
  std::shared_ptr<RowPredicate> made(new RowPredicate());
  made->program_ = std::move(program);
  return made;
}

const std::vector<int>& RowPredicate::columns() const {
  return program_->columns;
}

struct RowPredicate::Evaluator::State {
  std::shared_ptr<const RowPredicate> predicate;
  const Program* program = nullptr;
  const VersionProgram* last = nullptr;  // of the row before: most rows of a table have one version
  std::optional<Compiler> compiler;      // of those of former versions
  std::unordered_map<uint32_t, VersionProgram> former;
  std::vector<uint32_t> key_offsets;
  arrow::Status status;

  // The program of the version that the row claims to have; nullptr when there is none.
  const VersionProgram* FindProgram(std::string_view row) {
    if (row.size() < kRowHeaderSize) return nullptr;
    uint32_t number;
    std::memcpy(&number, row.data() + 2, sizeof(number));
    const RowSchema& row_schema = *program->row_schema;
    if (number == row_schema.current().layout.schema_version()) return &program->current;
    if (const auto known = former.find(number); known != former.end()) return &known->second;
    const RowSchema::Version* version = row_schema.FindVersion(number);
    if (version == nullptr) return nullptr;
    if (!compiler) compiler.emplace(program->normal, row_schema);
    arrow::Result<VersionProgram> made = compiler->Compile(*version);
    if (!made.ok()) {
      status = made.status();
      return nullptr;
    }
    return &former.emplace(number, *std::move(made)).first->second;
  }

  // Whether the parts of the key can be read; sets key_offsets unless all keys are of one size.
  bool LocateKey(std::string_view key) {
    if (program->fixed_key_size >= 0) return key.size() == static_cast<size_t>(program->fixed_key_size);
    return key.size() >= program->key_prefix_size &&
           program->row_schema->key_codec().Locate(key.substr(program->key_prefix_size), key_offsets.data()).ok();
  }

  [[gnu::cold]] bool Fail(std::string_view key, const std::string& reason) {
    if (status.ok()) {
      const RowSchema& row_schema = *program->row_schema;
      status = arrow::Status::Invalid("table ", row_schema.table_name(), ": the row of ", row_schema.DescribeKey(key),
                                      " cannot be read: ", reason);
    }
    return false;
  }

  [[gnu::cold]] bool FailOnRow(std::string_view key, std::string_view row) {
    const auto version = RowSchemaVersion(row);
    if (!version.ok()) return Fail(key, version.status().message());
    const VersionProgram* known = FindProgram(row);
    if (known == nullptr) return Fail(key, "its schema version " + std::to_string(*version) + " is unknown");
    return Fail(key, ValidateRow(known->version->layout, row).message());
  }

  [[gnu::cold]] bool FailOnKey(std::string_view key) {
    const size_t prefix_size = program->key_prefix_size;
    if (key.size() < prefix_size) return Fail(key, "its key is shorter than its prefix");
    return Fail(key, program->row_schema->key_codec().Locate(key.substr(prefix_size), key_offsets.data()).message());
  }

  [[gnu::cold]] bool FailOnColumn(std::string_view key, int column) {
    return Fail(key, "the bytes of column " + program->row_schema->columns()[static_cast<size_t>(column)].name +
                         " are damaged");
  }
};

RowPredicate::Evaluator::Evaluator(std::shared_ptr<const RowPredicate> predicate) : state_(std::make_unique<State>()) {
  state_->program = predicate->program_.get();
  state_->predicate = std::move(predicate);
  state_->last = &state_->program->current;
  state_->key_offsets.resize(state_->program->row_schema->key_codec().parts().size() + 1);
}

RowPredicate::Evaluator::~Evaluator() = default;
RowPredicate::Evaluator::Evaluator(Evaluator&&) noexcept = default;

const arrow::Status& RowPredicate::Evaluator::status() const {
  return state_->status;
}

bool RowPredicate::Evaluator::Matches(std::string_view key, std::string_view row) {
  State& state = *state_;
  const VersionProgram* program = state.last;
  if (!CheckRowShape(program->version->layout, row)) [[unlikely]] {
    program = state.FindProgram(row);
    if (program == nullptr || !CheckRowShape(program->version->layout, row)) return state.FailOnRow(key, row);
    state.last = program;
  }
  if (program->reads_key && !state.LocateKey(key)) [[unlikely]]
    return state.FailOnKey(key);

  const RowView view{key, row, &program->version->layout, state.key_offsets.data()};
  const Comparison* code = program->code.data();
  uint32_t position = program->start;
  while (position < kStopFalse) {
    const Comparison& comparison = code[position];
    const uint32_t next = comparison.next[static_cast<size_t>(comparison.run(comparison, view))];
    if (next == kStopDamaged) [[unlikely]]
      return state.FailOnColumn(key, comparison.column);
    position = next;
  }
  return position == kStopTrue;
}

}  // namespace yarrow
