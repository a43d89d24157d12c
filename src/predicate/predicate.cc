#include "yarrow/predicate.h"

#include <utility>

namespace yarrow {

struct Predicate::Node {
  Kind kind = Kind::kTrue;
  int column = -1;
  int field = -1;
  Op op = Op::kEq;
  std::vector<Value> values;
  std::vector<Predicate> children;
};

namespace {

const char* OpText(Predicate::Op op) {
  switch (op) {
    case Predicate::Op::kEq:
      return " = ";
    case Predicate::Op::kNe:
      return " <> ";
    case Predicate::Op::kLt:
      return " < ";
    case Predicate::Op::kLe:
      return " <= ";
    case Predicate::Op::kGt:
      return " > ";
    case Predicate::Op::kGe:
      return " >= ";
  }
  return " ? ";
}

std::string Quoted(std::string_view text, std::string_view suffix = {}) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out.append(suffix).append("'");
}

std::string Literal(const Value& value) {
  const auto* text = std::get_if<std::string>(&value.variant());
  return text != nullptr ? Quoted(*text) : value.ToString();
}

// Children of the same kind are taken in, so that chains stay flat however they were built; `neutral` ones add nothing
// and one `absorbing` child decides (both hold in three-valued logic too).
struct Flattened {
  std::vector<Predicate> children;
  bool absorbed = false;
};

Flattened Flatten(std::vector<Predicate> children, Predicate::Kind kind, Predicate::Kind neutral,
                  Predicate::Kind absorbing) {
  Flattened flat;
  flat.children.reserve(children.size());
  for (Predicate& child : children) {
    if (child.kind() == absorbing) flat.absorbed = true;
    if (child.kind() == neutral) continue;
    if (child.kind() == kind) {
      flat.children.insert(flat.children.end(), child.children().begin(), child.children().end());
    } else {
      flat.children.push_back(std::move(child));
    }
  }
  return flat;
}

}  // namespace

Predicate::Predicate(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

Predicate::Predicate() {
  static const auto node = std::make_shared<const Node>();
  node_ = node;
}

Predicate Predicate::True() {
  return Predicate();
}

Predicate Predicate::False() {
  static const auto node = std::make_shared<const Node>(Node{.kind = Kind::kFalse, .values = {}, .children = {}});
  return Predicate(node);
}

Predicate Predicate::Compare(int column, Op op, Value value) {
  Node node{.kind = Kind::kCompare, .column = column, .op = op, .values = {}, .children = {}};
  node.values.push_back(std::move(value));
  return Predicate(std::make_shared<const Node>(std::move(node)));
}

Predicate Predicate::In(int column, std::vector<Value> values) {
  if (values.empty()) return False();
  if (values.size() == 1) return Compare(column, Op::kEq, std::move(values.front()));
  return Predicate(std::make_shared<const Node>(
      Node{.kind = Kind::kIn, .column = column, .values = std::move(values), .children = {}}));
}

Predicate Predicate::Between(int column, Value low, Value high) {
  return And({Compare(column, Op::kGe, std::move(low)), Compare(column, Op::kLe, std::move(high))});
}

Predicate Predicate::IsNull(int column) {
  return Predicate(
      std::make_shared<const Node>(Node{.kind = Kind::kIsNull, .column = column, .values = {}, .children = {}}));
}

Predicate Predicate::IsNotNull(int column) {
  return Predicate(
      std::make_shared<const Node>(Node{.kind = Kind::kIsNotNull, .column = column, .values = {}, .children = {}}));
}

Predicate Predicate::StartsWith(int column, std::string prefix) {
  Node node{.kind = Kind::kStartsWith, .column = column, .values = {}, .children = {}};
  node.values.emplace_back(std::move(prefix));
  return Predicate(std::make_shared<const Node>(std::move(node)));
}

Predicate Predicate::Field(int column, int field, Predicate of_field) {
  if (of_field.kind() == Kind::kTrue || of_field.kind() == Kind::kFalse) return of_field;
  return Predicate(std::make_shared<const Node>(
      Node{.kind = Kind::kField, .column = column, .field = field, .values = {}, .children = {std::move(of_field)}}));
}

Predicate Predicate::And(std::vector<Predicate> children) {
  Flattened flat = Flatten(std::move(children), Kind::kAnd, Kind::kTrue, Kind::kFalse);
  if (flat.absorbed) return False();
  if (flat.children.empty()) return True();
  if (flat.children.size() == 1) return std::move(flat.children.front());
  return Predicate(
      std::make_shared<const Node>(Node{.kind = Kind::kAnd, .values = {}, .children = std::move(flat.children)}));
}

Predicate Predicate::Or(std::vector<Predicate> children) {
  Flattened flat = Flatten(std::move(children), Kind::kOr, Kind::kFalse, Kind::kTrue);
  if (flat.absorbed) return True();
  if (flat.children.empty()) return False();
  if (flat.children.size() == 1) return std::move(flat.children.front());
  return Predicate(
      std::make_shared<const Node>(Node{.kind = Kind::kOr, .values = {}, .children = std::move(flat.children)}));
}

Predicate Predicate::Not(Predicate child) {
  if (child.kind() == Kind::kTrue) return False();
  if (child.kind() == Kind::kFalse) return True();
  if (child.kind() == Kind::kNot) return child.children().front();
  return Predicate(
      std::make_shared<const Node>(Node{.kind = Kind::kNot, .values = {}, .children = {std::move(child)}}));
}

Predicate::Kind Predicate::kind() const {
  return node_->kind;
}
int Predicate::column() const {
  return node_->column;
}
int Predicate::field() const {
  return node_->field;
}
Predicate::Op Predicate::op() const {
  return node_->op;
}
const std::vector<Value>& Predicate::values() const {
  return node_->values;
}
const std::vector<Predicate>& Predicate::children() const {
  return node_->children;
}

std::string Predicate::ToString(const std::vector<std::string>& column_names) const {
  const auto name = [&] {
    const auto i = static_cast<size_t>(column());
    return i < column_names.size() ? column_names[i] : "column " + std::to_string(column());
  };
  const auto join = [&](const char* separator) {
    std::string out = "(";
    for (const Predicate& child : children()) {
      if (out.size() > 1) out += separator;
      out += child.ToString(column_names);
    }
    return out + ")";
  };
  switch (kind()) {
    case Kind::kTrue:
      return "true";
    case Kind::kFalse:
      return "false";
    case Kind::kCompare:
      return name() + OpText(op()) + Literal(values().front());
    case Kind::kIn: {
      std::string out = name() + " IN (";
      for (size_t i = 0; i < values().size(); ++i) out.append(i == 0 ? "" : ", ").append(Literal(values()[i]));
      return out + ")";
    }
    case Kind::kIsNull:
      return name() + " IS NULL";
    case Kind::kIsNotNull:
      return name() + " IS NOT NULL";
    case Kind::kStartsWith:
      return name() + " LIKE " + Quoted(values().front().get<std::string>(), "%");
    case Kind::kField:
      return children().front().ToString({name() + "[" + std::to_string(field() + 1) + "]"});
    case Kind::kAnd:
      return join(" AND ");
    case Kind::kOr:
      return join(" OR ");
    case Kind::kNot:
      return "NOT " + children().front().ToString(column_names);
  }
  return {};
}

}  // namespace yarrow
