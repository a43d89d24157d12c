#include "cli/where_parser.h"

#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/where_comparison.h"
#include "cli/where_lexer.h"

namespace yarrow::cli {
namespace {

namespace cp = arrow::compute;
using Token = WhereToken;
using ExpressionResult = arrow::Result<cp::Expression>;

// Parentheses and NOTs inside each other; each takes a few stack frames, here and in Arrow.
constexpr int kMaxDepth = 200;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, const arrow::Schema& schema) : tokens_(std::move(tokens)), schema_(schema) {}

  ExpressionResult Run() {
    ARROW_ASSIGN_OR_RAISE(auto predicate, ParseOr());
    if (Peek().kind != Token::Kind::kEnd) return Expected("AND, OR or the end");
    return predicate;
  }

 private:
  // A column or a literal.
  struct Operand {
    std::optional<WhereColumn> column;
    WhereLiteral literal;
  };

  const Token& Peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  void Advance() { ++at_; }

  bool Accept(std::string_view keyword) {
    if (!Peek().Is(keyword)) return false;
    Advance();
    return true;
  }

  arrow::Status Expected(std::string_view what) const {
    return WhereError(Peek().position, "expected " + std::string(what) + ", found " + Peek().Describe());
  }

  arrow::Status ExpectSymbol(std::string_view symbol) {
    if (!Peek().IsSymbol(symbol)) return Expected("'" + std::string(symbol) + "'");
    Advance();
    return arrow::Status::OK();
  }

  arrow::Status ExpectWord(std::string_view keyword) {
    return Accept(keyword) ? arrow::Status::OK() : Expected(keyword);
  }

  ExpressionResult ParseOr() {
    std::vector<cp::Expression> operands;
    do {
      ARROW_ASSIGN_OR_RAISE(auto operand, ParseAnd());
      operands.push_back(std::move(operand));
    } while (Accept("OR"));
    return AnyOf(std::move(operands));
  }

  ExpressionResult ParseAnd() {
    std::vector<cp::Expression> operands;
    do {
      ARROW_ASSIGN_OR_RAISE(auto operand, ParseNot());
      operands.push_back(std::move(operand));
    } while (Accept("AND"));
    return AllOf(std::move(operands));
  }

  ExpressionResult ParseNot() {
    if (depth_ >= kMaxDepth) return WhereError(Peek().position, "too many parentheses or NOTs inside each other");
    ++depth_;
    auto predicate = ParseNested();
    --depth_;
    return predicate;
  }

  ExpressionResult ParseNested() {
    if (Accept("NOT")) {
      ARROW_ASSIGN_OR_RAISE(auto operand, ParseNot());
      return Negated(std::move(operand), true);
    }
    if (!Peek().IsSymbol("(")) return ParseTest();
    Advance();
    ARROW_ASSIGN_OR_RAISE(auto predicate, ParseOr());
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return predicate;
  }

  static cp::Expression Negated(cp::Expression operand, bool is_negated) {
    return is_negated ? cp::call("invert", {std::move(operand)}) : std::move(operand);
  }

  ExpressionResult ParseTest() {
    ARROW_ASSIGN_OR_RAISE(const Operand left, ParseOperand("a column"));
    if (const auto op = AcceptOperator()) return ParseComparison(left, op->first, op->second);
    if (!left.column) return TruthOf(left.literal);
    if (Accept("IS")) {
      const bool is_negated = Accept("NOT");
      ARROW_RETURN_NOT_OK(ExpectWord("NULL"));
      const cp::Expression field = cp::field_ref(left.column->name);
      return is_negated ? cp::is_valid(field) : cp::is_null(field);
    }
    const bool is_negated = Accept("NOT");
    std::optional<cp::Expression> test;
    if (Accept("BETWEEN")) {
      ARROW_ASSIGN_OR_RAISE(test, ParseBetween(*left.column));
    } else if (Accept("IN")) {
      ARROW_ASSIGN_OR_RAISE(test, ParseIn(*left.column));
    } else if (Accept("LIKE")) {
      if (Peek().kind != Token::Kind::kText) return Expected("a pattern in quotes, such as 'N5%'");
      ARROW_ASSIGN_OR_RAISE(const WhereLiteral pattern, ParseLiteral());
      ARROW_ASSIGN_OR_RAISE(test, Like(*left.column, pattern));
    }
    if (test) return Negated(*std::move(test), is_negated);
    if (is_negated || left.column->type.id != TypeId::kBool) {
      return Expected(is_negated ? "BETWEEN, IN or LIKE"
                                 : "a comparison (=, <>, <, <=, >, >=), IS, IN, BETWEEN or LIKE");
    }
    return cp::field_ref(left.column->name);
  }

  ExpressionResult TruthOf(const WhereLiteral& literal) const {
    if (literal.kind == WhereLiteral::Kind::kBool) return cp::literal(literal.text == "true");
    if (literal.kind == WhereLiteral::Kind::kNull) return UnknownTruth();
    return Expected("a comparison (=, <>, <, <=, >, >=)");
  }

  std::optional<std::pair<WhereOp, size_t>> AcceptOperator() {
    constexpr std::pair<std::string_view, WhereOp> kOperators[] = {
        {"=", WhereOp::kEq}, {"==", WhereOp::kEq}, {"!=", WhereOp::kNe}, {"<>", WhereOp::kNe},
        {"<", WhereOp::kLt}, {"<=", WhereOp::kLe}, {">", WhereOp::kGt},  {">=", WhereOp::kGe},
    };
    for (const auto& [symbol, op] : kOperators) {
      if (!Peek().IsSymbol(symbol)) continue;
      const size_t position = Peek().position;
      Advance();
      return std::pair(op, position);
    }
    return std::nullopt;
  }

  ExpressionResult ParseComparison(const Operand& left, WhereOp op, size_t position) {
    ARROW_ASSIGN_OR_RAISE(const Operand right, ParseOperand("a value or a column"));
    if (left.column && right.column) return CompareColumns(*left.column, op, *right.column, position);
    if (left.column) return CompareWithLiteral(*left.column, op, right.literal);
    if (right.column) return CompareWithLiteral(*right.column, Mirrored(op), left.literal);
    return WhereError(position, "one side of the comparison has to be a column");
  }

  ExpressionResult ParseBetween(const WhereColumn& column) {
    ARROW_ASSIGN_OR_RAISE(const WhereLiteral low, ParseLiteral());
    ARROW_RETURN_NOT_OK(ExpectWord("AND"));
    ARROW_ASSIGN_OR_RAISE(const WhereLiteral high, ParseLiteral());
    ARROW_ASSIGN_OR_RAISE(auto above, CompareWithLiteral(column, WhereOp::kGe, low));
    ARROW_ASSIGN_OR_RAISE(auto below, CompareWithLiteral(column, WhereOp::kLe, high));
    return cp::and_(std::move(above), std::move(below));
  }

  ExpressionResult ParseIn(const WhereColumn& column) {
    ARROW_RETURN_NOT_OK(ExpectSymbol("("));
    std::vector<WhereLiteral> literals;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(WhereLiteral literal, ParseLiteral());
      literals.push_back(std::move(literal));
      if (!Peek().IsSymbol(",")) break;
      Advance();
    }
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return InList(column, literals);
  }

  arrow::Result<Operand> ParseOperand(std::string_view expected) {
    if (IsLiteral()) {
      ARROW_ASSIGN_OR_RAISE(WhereLiteral literal, ParseLiteral());
      return Operand{std::nullopt, std::move(literal)};
    }
    const Token& token = Peek();
    const bool is_name =
        token.kind == Token::Kind::kQuotedName || (token.kind == Token::Kind::kWord && !IsKeyword(token));
    if (!is_name) return Expected(expected);
    ARROW_ASSIGN_OR_RAISE(WhereColumn column, FindColumn(token));
    Advance();
    return Operand{std::move(column), {}};
  }

  static bool IsKeyword(const Token& token) {
    for (const std::string_view word : {"AND", "OR", "NOT", "IS", "IN", "LIKE", "BETWEEN"}) {
      if (token.Is(word)) return true;
    }
    return false;
  }

  // DATE, TIME or TIMESTAMP before a text.
  std::optional<WhereLiteral::Kind> TypedLiteralKind() const {
    if (Peek(1).kind != Token::Kind::kText) return std::nullopt;
    if (Peek().Is("DATE")) return WhereLiteral::Kind::kDate;
    if (Peek().Is("TIME")) return WhereLiteral::Kind::kTime;
    if (Peek().Is("TIMESTAMP")) return WhereLiteral::Kind::kTimestamp;
    return std::nullopt;
  }

  bool IsLiteral() const {
    const Token& token = Peek();
    return token.kind == Token::Kind::kNumber || token.kind == Token::Kind::kText || token.Is("TRUE") ||
           token.Is("FALSE") || token.Is("NULL") || TypedLiteralKind();
  }

  arrow::Result<WhereLiteral> ParseLiteral() {
    if (!IsLiteral()) return Expected("a value");
    WhereLiteral literal{.kind = WhereLiteral::Kind::kText, .text = Peek().text, .position = Peek().position};
    if (const auto kind = TypedLiteralKind()) {
      Advance();
      literal.kind = *kind;
      literal.text = Peek().text;
    } else if (Peek().kind == Token::Kind::kNumber) {
      literal.kind = WhereLiteral::Kind::kNumber;
    } else if (Peek().kind == Token::Kind::kWord) {
      literal.kind = Peek().Is("NULL") ? WhereLiteral::Kind::kNull : WhereLiteral::Kind::kBool;
      literal.text = Lower(literal.text);
    }
    Advance();
    return literal;
  }

  arrow::Result<WhereColumn> FindColumn(const Token& token) const {
    int found = schema_.GetFieldIndex(token.text);
    for (int i = 0; found < 0 && token.kind == Token::Kind::kWord && i < schema_.num_fields(); ++i) {
      if (Lower(schema_.field(i)->name()) == Lower(token.text)) found = i;
    }
    if (found < 0) {
      std::string names;
      for (const auto& field : schema_.fields()) names += (names.empty() ? "" : ", ") + field->name();
      const bool may_be_text = token.kind == Token::Kind::kQuotedName;
      return WhereError(token.position, "no column " + token.Describe() + "; there are: " + names +
                                            (may_be_text ? " (text goes in single quotes)" : ""));
    }
    const auto& field = *schema_.field(found);
    ARROW_ASSIGN_OR_RAISE(const ColumnType type, ColumnType::FromArrow(*field.type()));
    return WhereColumn{field.name(), type};
  }

  const std::vector<Token> tokens_;
  const arrow::Schema& schema_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

arrow::Result<cp::Expression> ParseWhere(std::string_view text, const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(auto tokens, TokenizeWhere(text));
  return Parser(std::move(tokens), schema).Run();
}

}  // namespace yarrow::cli
