#include "type/nested_value.h"

#include <utility>
#include <vector>

#include "type/field_value.h"
#include "type/nested_bytes.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

arrow::Status InPart(const arrow::Status& status, const ColumnType& type, const std::string& part) {
  return status.WithMessage("in a ", FactsOf(type.id).names[0], ", ", part, ": ", status.message());
}

arrow::Result<Value> CastPart(const Value& value, const ColumnType& type, const ColumnType& part_type,
                              const std::string& part) {
  auto cast = value.CastTo(part_type);
  return cast.ok() ? cast : InPart(cast.status(), type, part);
}

// REQUIRES: not NULL, in the exact form of the type.
arrow::Status AppendPart(const Value& value, const ColumnType& type, std::string* out) {
  if (type.is_nested()) {
    out->append(value.get<std::string>());
  } else if (type.is_variable()) {
    AppendBytes(value.get<std::string>(), out);
  } else {
    char bytes[16];
    ARROW_RETURN_NOT_OK(StoreFixedValue(value, type, bytes));
    out->append(bytes, static_cast<size_t>(type.fixed_width()));
  }
  return arrow::Status::OK();
}

arrow::Status AppendStruct(const std::vector<Value>& fields, const ColumnType& layout, std::string* out) {
  const size_t nulls = AppendNullBitmap(fields.size(), out);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].is_null()) {
      SetNullBit(nulls, i, out);
    } else {
      ARROW_RETURN_NOT_OK(AppendPart(fields[i], layout.members()[i].type, out));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<Value> MakeList(const ColumnType& type, std::span<const Value> parts) {
  if (type.id == TypeId::kArray && parts.size() != type.array_size()) {
    return arrow::Status::Invalid("a ", type.ToString(), " has ", type.array_size(), " elements, not ", parts.size());
  }
  const ColumnType& element = type.members()[0].type;
  std::vector<Value> exact;
  bool has_null = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto cast, CastPart(parts[i], type, element, "element " + std::to_string(i + 1)));
    has_null = has_null || cast.is_null();
    exact.push_back(std::move(cast));
  }
  std::string bytes;
  AppendListHead(exact.size(), has_null, &bytes);
  const size_t nulls = has_null ? AppendNullBitmap(exact.size(), &bytes) : 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    if (exact[i].is_null()) {
      SetNullBit(nulls, i, &bytes);
    } else {
      ARROW_RETURN_NOT_OK(AppendPart(exact[i], element, &bytes));
    }
  }
  return Value(std::move(bytes));
}

arrow::Result<Value> MakeStruct(const ColumnType& type, std::span<const Value> parts) {
  const ColumnType& layout = LayoutOf(type);
  if (parts.size() != layout.members().size()) {
    return arrow::Status::Invalid("a ", type.ToString(), " has ", layout.members().size(), " fields, not ",
                                  parts.size());
  }
  std::vector<Value> exact;
  for (size_t i = 0; i < parts.size(); ++i) {
    const TypeMember& member = layout.members()[i];
    ARROW_ASSIGN_OR_RAISE(auto cast, CastPart(parts[i], type, member.type, "field " + member.name));
    exact.push_back(std::move(cast));
  }
  std::string bytes;
  ARROW_RETURN_NOT_OK(AppendStruct(exact, layout, &bytes));
  return Value(std::move(bytes));
}

arrow::Result<Value> MakeMap(const ColumnType& type, std::span<const Value> parts) {
  if (parts.size() % 2 != 0) return arrow::Status::Invalid("the last key of a MAP has no value");
  const ColumnType& list = LayoutOf(type);
  std::vector<Value> entries;
  for (size_t i = 0; i < parts.size(); i += 2) {
    if (parts[i].is_null()) return arrow::Status::Invalid("key ", i / 2 + 1, " of a MAP is NULL");
    ARROW_ASSIGN_OR_RAISE(auto entry, MakeStruct(list.members()[0].type, parts.subspan(i, 2)));
    entries.push_back(std::move(entry));
  }
  return MakeList(list, entries);
}

arrow::Result<Value> MakeUnion(const ColumnType& type, std::span<const Value> parts) {
  const size_t members = type.members().size();
  if (parts.size() != 2) {
    return arrow::Status::Invalid("a UNION is made of the number of its member and a value, not of ", parts.size(),
                                  " values");
  }
  ARROW_ASSIGN_OR_RAISE(const Value tag, parts[0].CastTo(TypeId::kUInt8));
  if (tag.is_null() || tag.get<uint64_t>() >= members) {
    return arrow::Status::Invalid("a UNION has members 0 to ", members - 1, ", not ", tag.ToString());
  }
  std::vector<Value> fields(members + 1);
  fields[0] = tag;
  fields[1 + static_cast<size_t>(tag.get<uint64_t>())] = parts[1];
  return MakeStruct(type, fields);
}

// The value that is next. REQUIRES: the bytes were checked.
Value ReadPart(const ColumnType& type, NestedReader* reader) {
  if (type.is_nested()) {
    const char* const begin = reader->position();
    SkipValue(type, reader);
    return Value(std::string(begin, reader->position()));
  }
  if (type.is_variable()) {
    std::string_view bytes;
    reader->ReadBytes(&bytes);
    return Value(bytes);
  }
  const char* bytes = nullptr;
  reader->ReadFixed(static_cast<size_t>(type.fixed_width()), &bytes);
  return LoadFixedValue(type, bytes);
}

std::vector<Value> ReadLayout(const ColumnType& layout, NestedReader* reader) {
  std::vector<Value> values;
  NullBits nulls;
  const bool is_struct = layout.id == TypeId::kStruct;
  uint64_t count = layout.members().size();
  is_struct ? reader->ReadNullBitmap(count, &nulls) : reader->ReadListHead(&count, &nulls);
  for (uint64_t i = 0; i < count; ++i) {
    const ColumnType& type = layout.members()[is_struct ? i : 0].type;
    values.push_back(nulls.IsNull(i) ? Value::Null() : ReadPart(type, reader));
  }
  return values;
}

// As DuckDB writes it: text in quotes where it would be taken for something else.
std::string FormatPart(const Value& part, const ColumnType& type) {
  std::string text = part.ToString(type);
  if (part.is_null() || KindOf(type) != TypeKind::kText) return text;
  const bool has_sign = text.find_first_of("[]{}(),'\":=\\") != std::string::npos;
  const bool is_null_word = text.size() == 4 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'u' &&
                            (text[2] | 0x20) == 'l' && (text[3] | 0x20) == 'l';
  if (!text.empty() && !has_sign && !is_null_word && text.front() != ' ' && text.back() != ' ') return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string Listed(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

arrow::Result<Value> Value::Nested(const ColumnType& type, std::span<const Value> parts) {
  if (!type.is_nested()) return arrow::Status::TypeError(type.ToString(), " is no nested type");
  ARROW_RETURN_NOT_OK(type.Validate());
  switch (type.id) {
    case TypeId::kMap:
      return MakeMap(type, parts);
    case TypeId::kUnion:
      return MakeUnion(type, parts);
    case TypeId::kStruct:
      return MakeStruct(type, parts);
    case TypeId::kVariant:
      return arrow::Status::NotImplemented("values of type VARIANT are made in SQL");
    default:
      return MakeList(type, parts);
  }
}

arrow::Result<std::vector<Value>> Value::Parts(const ColumnType& type) const {
  const auto* bytes = std::get_if<std::string>(&v_);
  const char* const flaw =
      bytes == nullptr || !type.is_nested() ? "it is no nested value" : CheckNestedBytes(type, *bytes);
  if (flaw != nullptr) return arrow::Status::Invalid("a value of type ", type.ToString(), ": ", flaw);
  NestedReader reader(*bytes);
  std::vector<Value> parts = ReadLayout(LayoutOf(type), &reader);
  if (type.id == TypeId::kUnion) return std::vector<Value>{parts[0], parts[1 + parts[0].get<uint64_t>()]};
  if (type.id != TypeId::kMap) return parts;
  std::vector<Value> entries;
  const ColumnType& entry = LayoutOf(type).members()[0].type;
  for (const Value& part : parts) {
    ARROW_ASSIGN_OR_RAISE(auto fields, part.Parts(entry));
    for (Value& field : fields) entries.push_back(std::move(field));
  }
  return entries;
}

std::string FormatNestedValue(const ColumnType& type, std::string_view bytes) {
  const auto parts = Value(bytes).Parts(type);
  if (!parts.ok()) return Value(bytes).ToString(TypeId::kBinary);
  if (type.id == TypeId::kUnion) {
    const Value& value = (*parts)[1];
    return value.ToString(type.members()[(*parts)[0].get<uint64_t>()].type);
  }
  const ColumnType& layout = LayoutOf(type);
  std::vector<std::string> texts;
  if (type.id == TypeId::kMap) {
    for (size_t i = 0; i < parts->size(); i += 2) {
      texts.push_back(FormatPart((*parts)[i], type.members()[0].type) + "=" +
                      FormatPart((*parts)[i + 1], type.members()[1].type));
    }
  } else if (layout.id == TypeId::kStruct) {
    for (size_t i = 0; i < parts->size(); ++i) {
      const TypeMember& member = layout.members()[i];
      texts.push_back("'" + member.name + "': " + FormatPart((*parts)[i], member.type));
    }
  } else {
    for (const Value& part : *parts) texts.push_back(FormatPart(part, layout.members()[0].type));
    return "[" + Listed(texts) + "]";
  }
  return "{" + Listed(texts) + "}";
}

}  // namespace yarrow
