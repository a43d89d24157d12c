#include "sql/scan_serialization.h"

#include <duckdb/common/serializer/binary_serializer.hpp>
#include <duckdb/common/serializer/deserializer.hpp>
#include <duckdb/common/serializer/memory_stream.hpp>
#include <duckdb/common/serializer/serializer.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sql/index_expressions.h"
#include "sql/sql_error.h"
#include "sql/sql_scan.h"
#include "sql/sql_type.h"

namespace yarrow::sql {
namespace {

using duckdb::Deserializer;
using duckdb::Serializer;
using FunctionDataPtr = duckdb::optional_ptr<duckdb::FunctionData>;

const TableDefinition& DefinitionOf(const SqlTable& table) {
  return table.table()->definition();
}

// ---- Predicates -----------------------------------------------------------------------------------------------------

// Of the columns that a predicate names: the table's, or of a field, which is column 0, that of the field.
using TypeOf = std::function<const ColumnType&(int column)>;

TypeOf ColumnsOf(const SqlTable& table) {
  return [&table](int column) -> const ColumnType& { return TypeOfNumber(*table.table(), column); };
}

TypeOf FieldOf(const ColumnType& type, int field) {
  const ColumnType& of_field = type.members().at(static_cast<size_t>(field)).type;
  return [&of_field](int) -> const ColumnType& { return of_field; };
}

bool HasColumn(Predicate::Kind kind) {
  using Kind = Predicate::Kind;
  return kind == Kind::kCompare || kind == Kind::kIn || kind == Kind::kIsNull || kind == Kind::kIsNotNull ||
         kind == Kind::kStartsWith;
}

void WritePredicate(Serializer& out, const Predicate& predicate, const TypeOf& type_of) {
  out.WriteProperty(100, "kind", static_cast<uint8_t>(predicate.kind()));
  if (HasColumn(predicate.kind())) {
    out.WriteProperty(101, "column", static_cast<int32_t>(predicate.column()));
    out.WriteProperty(102, "comparison", static_cast<uint8_t>(predicate.op()));
    out.WriteList(103, "values", predicate.values().size(), [&](Serializer::List& list, duckdb::idx_t i) {
      list.WriteElement(ToDuckDb(predicate.values()[i], type_of(predicate.column())));
    });
    return;
  }
  if (predicate.kind() == Predicate::Kind::kField) {
    out.WriteProperty(101, "column", static_cast<int32_t>(predicate.column()));
    out.WriteProperty(105, "field", static_cast<int32_t>(predicate.field()));
    const TypeOf of_field = FieldOf(type_of(predicate.column()), predicate.field());
    out.WriteObject(106, "of_field",
                    [&](Serializer& child) { WritePredicate(child, predicate.children().front(), of_field); });
    return;
  }
  out.WriteList(104, "children", predicate.children().size(), [&](Serializer::List& list, duckdb::idx_t i) {
    list.WriteObject([&](Serializer& child) { WritePredicate(child, predicate.children()[i], type_of); });
  });
}

Predicate MakeLeaf(Predicate::Kind kind, int column, Predicate::Op op, std::vector<Value> values) {
  switch (kind) {
    case Predicate::Kind::kIn:
      return Predicate::In(column, std::move(values));
    case Predicate::Kind::kIsNull:
      return Predicate::IsNull(column);
    case Predicate::Kind::kIsNotNull:
      return Predicate::IsNotNull(column);
    case Predicate::Kind::kStartsWith:
      return Predicate::StartsWith(column, values.at(0).get<std::string>());
    default:
      return Predicate::Compare(column, op, std::move(values.at(0)));
  }
}

Predicate Combine(Predicate::Kind kind, std::vector<Predicate> children) {
  switch (kind) {
    case Predicate::Kind::kAnd:
      return Predicate::And(std::move(children));
    case Predicate::Kind::kOr:
      return Predicate::Or(std::move(children));
    case Predicate::Kind::kNot:
      return Predicate::Not(std::move(children.at(0)));
    case Predicate::Kind::kFalse:
      return Predicate::False();
    default:
      return Predicate::True();
  }
}

Predicate ReadPredicate(Deserializer& in, const TypeOf& type_of) {
  const auto kind = static_cast<Predicate::Kind>(in.ReadProperty<uint8_t>(100, "kind"));
  if (HasColumn(kind)) {
    const auto column = in.ReadProperty<int32_t>(101, "column");
    const auto op = static_cast<Predicate::Op>(in.ReadProperty<uint8_t>(102, "comparison"));
    const ColumnType& type = type_of(column);
    std::vector<Value> values;
    in.ReadList(103, "values", [&](Deserializer::List& list, duckdb::idx_t) {
      values.push_back(Check(FromDuckDb(list.ReadElement<duckdb::Value>(), type)));
    });
    return MakeLeaf(kind, column, op, std::move(values));
  }
  if (kind == Predicate::Kind::kField) {
    const auto column = in.ReadProperty<int32_t>(101, "column");
    const auto field = in.ReadProperty<int32_t>(105, "field");
    const TypeOf types = FieldOf(type_of(column), field);
    Predicate of_field = Predicate::True();
    in.ReadObject(106, "of_field", [&](Deserializer& child) { of_field = ReadPredicate(child, types); });
    return Predicate::Field(column, field, std::move(of_field));
  }
  std::vector<Predicate> children;
  in.ReadList(104, "children", [&](Deserializer::List& list, duckdb::idx_t) {
    list.ReadObject([&](Deserializer& child) { children.push_back(ReadPredicate(child, type_of)); });
  });
  return Combine(kind, std::move(children));
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

// A table by its names, and what tells that those still mean the very same one.
void WriteTable(Serializer& out, const SqlTable& table) {
  const auto& catalog = table.catalog.Cast<SqlCatalog>();
  const TableDefinition& definition = DefinitionOf(table);
  out.WriteProperty(100, "database", catalog.GetName());
  out.WriteProperty(101, "schema", definition.schema_name);
  out.WriteProperty(102, "table", definition.name);
  out.WriteProperty(103, "path", catalog.database()->store()->path().string());
  out.WriteProperty(104, "user", catalog.user());
  out.WriteProperty(105, "table_id", definition.id);
  out.WriteProperty(106, "schema_version", definition.schema_version);
  out.WriteProperty(107, "defined_at", table.table()->entry().created_at->load(std::memory_order_acquire));
}

std::shared_ptr<SqlTable> ReadTable(Deserializer& in) {
  const auto database = in.ReadProperty<duckdb::string>(100, "database");
  const auto schema = in.ReadProperty<duckdb::string>(101, "schema");
  const auto name = in.ReadProperty<duckdb::string>(102, "table");
  const auto path = in.ReadProperty<duckdb::string>(103, "path");
  const auto user = in.ReadProperty<duckdb::string>(104, "user");
  const auto id = in.ReadProperty<uint32_t>(105, "table_id");
  const auto version = in.ReadProperty<uint32_t>(106, "schema_version");
  const auto defined_at = in.ReadProperty<uint64_t>(107, "defined_at");
  auto& context = in.Get<duckdb::ClientContext&>();
  auto& entry = duckdb::Catalog::GetEntry<duckdb::TableCatalogEntry>(context, database, schema, name);
  auto* table = dynamic_cast<SqlTable*>(&entry);
  const auto is_same = [&] {
    const auto& catalog = table->catalog.Cast<SqlCatalog>();
    const TableDefinition& definition = DefinitionOf(*table);
    return catalog.user() == user && catalog.database()->store()->path().string() == path && definition.id == id &&
           definition.schema_version == version &&
           table->table()->entry().created_at->load(std::memory_order_acquire) == defined_at;
  };
  if (table == nullptr || !is_same()) {
    throw duckdb::SerializationException("the plan is over table " + database + "." + schema + "." + name +
                                         " as it was; it is another one now: plan the statement anew");
  }
  return table->shared_from_this();
}

// ---- The scan -------------------------------------------------------------------------------------------------------

void WriteOrder(Serializer& out, const IndexOrder& order) {
  out.WriteList(100, "columns", order.columns.size(), [&](Serializer::List& list, duckdb::idx_t i) {
    list.WriteElement(static_cast<int32_t>(order.columns[i]));
  });
  out.WriteProperty(101, "descending", order.descending);
  out.WriteProperty(102, "nulls_first", order.nulls_first);
  out.WriteProperty(103, "both_ends", order.both_ends);
  out.WriteProperty(104, "rows", order.rows);
}

IndexOrder ReadOrder(Deserializer& in) {
  IndexOrder order;
  in.ReadList(100, "columns",
              [&](Deserializer::List& list, duckdb::idx_t) { order.columns.push_back(list.ReadElement<int32_t>()); });
  order.descending = in.ReadProperty<bool>(101, "descending");
  order.nulls_first = in.ReadProperty<bool>(102, "nulls_first");
  order.both_ends = in.ReadProperty<bool>(103, "both_ends");
  order.rows = in.ReadProperty<int64_t>(104, "rows");
  return order;
}

void WriteExpressions(Serializer& out, duckdb::field_id_t id, const char* tag,
                      const std::vector<ColumnExpression>& expressions) {
  out.WriteList(id, tag, expressions.size(), [&](Serializer::List& list, duckdb::idx_t i) {
    list.WriteObject([&](Serializer& one) {
      one.WriteProperty(100, "column", static_cast<int32_t>(expressions[i].column));
      one.WriteProperty(101, "expression", expressions[i].expression->Copy());
    });
  });
}

std::vector<ColumnExpression> ReadExpressions(Deserializer& in, duckdb::field_id_t id, const char* tag) {
  std::vector<ColumnExpression> expressions;
  in.ReadList(id, tag, [&](Deserializer::List& list, duckdb::idx_t) {
    list.ReadObject([&](Deserializer& one) {
      const auto column = one.ReadProperty<int32_t>(100, "column");
      auto expression = one.ReadProperty<duckdb::unique_ptr<duckdb::Expression>>(101, "expression");
      expressions.push_back({column, std::shared_ptr<const duckdb::Expression>(std::move(expression))});
    });
  });
  return expressions;
}

void WriteScan(Serializer& out, const ScanBindData& scan) {
  out.WriteProperty(99, "new_rows", scan.new_rows);
  out.WriteObject(100, "table", [&](Serializer& table) { WriteTable(table, *scan.table); });
  out.WriteProperty(101, "limit", scan.limit.value_or(-1));
  out.WriteProperty(102, "reverse", scan.reverse);
  out.WriteProperty(103, "in_order", scan.in_order);
  out.WriteObject(104, "filter",
                  [&](Serializer& filter) { WritePredicate(filter, scan.filter, ColumnsOf(*scan.table)); });
  WriteExpressions(out, 105, "key_values", scan.key_values);
  out.WriteProperty(106, "key_ranges", scan.key_ranges);
  out.WriteProperty(107, "row_filter", scan.row_filter);
  out.WriteProperty(108, "has_placed_filters", scan.has_placed_filters);
  out.WriteProperty(109, "leaves_segments", scan.leaves_segments);
  out.WriteProperty(110, "index", scan.index);
  out.WriteProperty(111, "has_index_order", scan.index_order.has_value());
  if (scan.index_order) {
    out.WriteObject(112, "index_order", [&](Serializer& order) { WriteOrder(order, *scan.index_order); });
  }
  out.WriteObject(113, "known", [&](Serializer& known) { WritePredicate(known, scan.known, ColumnsOf(*scan.table)); });
  WriteExpressions(out, 114, "cold_conditions", scan.cold_conditions);
}

void SerializeScan(Serializer& out, const FunctionDataPtr data, const duckdb::TableFunction&) {
  WriteScan(out, data->Cast<ScanBindData>());
}

duckdb::unique_ptr<duckdb::FunctionData> DeserializeScan(Deserializer& in, duckdb::TableFunction& function) {
  const auto new_rows = in.ReadProperty<uint64_t>(99, "new_rows");
  std::shared_ptr<SqlTable> table;
  in.ReadObject(100, "table", [&](Deserializer& object) { table = ReadTable(object); });
  auto scan = duckdb::make_uniq<ScanBindData>(table, new_rows);
  const auto limit = in.ReadProperty<int64_t>(101, "limit");
  if (limit >= 0) scan->limit = limit;
  scan->reverse = in.ReadProperty<bool>(102, "reverse");
  scan->in_order = in.ReadProperty<bool>(103, "in_order");
  in.ReadObject(104, "filter", [&](Deserializer& object) { scan->filter = ReadPredicate(object, ColumnsOf(*table)); });
  scan->key_values = ReadExpressions(in, 105, "key_values");
  scan->key_ranges = in.ReadProperty<duckdb::string>(106, "key_ranges");
  scan->row_filter = in.ReadProperty<duckdb::string>(107, "row_filter");
  scan->has_placed_filters = in.ReadProperty<bool>(108, "has_placed_filters");
  scan->leaves_segments = in.ReadProperty<bool>(109, "leaves_segments");
  scan->index = in.ReadProperty<duckdb::string>(110, "index");
  if (in.ReadProperty<bool>(111, "has_index_order")) {
    in.ReadObject(112, "index_order", [&](Deserializer& order) { scan->index_order = ReadOrder(order); });
  }
  in.ReadObject(113, "known", [&](Deserializer& object) { scan->known = ReadPredicate(object, ColumnsOf(*table)); });
  scan->cold_conditions = ReadExpressions(in, 114, "cold_conditions");
  function = ScanFunction();
  if (scan->in_order) function.order_preservation_type = duckdb::OrderPreservationType::FIXED_ORDER;
  return scan;
}

[[noreturn]] void RefuseFunction(const std::string& name) {
  throw duckdb::NotImplementedException("the plan of a call of " + name +
                                        " cannot be copied: each call acts, and it must act once");
}

}  // namespace

void MakeSerializable(duckdb::TableFunction* scan) {
  scan->serialize = SerializeScan;
  scan->deserialize = DeserializeScan;
}

void RegisterScanFunction(duckdb::DatabaseInstance& instance) {
  duckdb::TableFunction function = ScanFunction();
  function.bind = [](duckdb::ClientContext&, duckdb::TableFunctionBindInput&, duckdb::vector<duckdb::LogicalType>&,
                     duckdb::vector<duckdb::string>&) -> duckdb::unique_ptr<duckdb::FunctionData> {
    throw duckdb::BinderException("yarrow_scan is what plans call the scan of a table; in a query, name the table");
  };
  duckdb::ExtensionLoader loader(instance, "yarrow");
  loader.RegisterFunction(std::move(function));
}

bool IsSerializedAlike(const duckdb::FunctionData& scan, const duckdb::FunctionData& other) {
  duckdb::MemoryStream streams[2];
  duckdb::SerializationOptions options;
  options.serialization_compatibility = duckdb::SerializationCompatibility::Latest();
  const duckdb::FunctionData* const both[2] = {&scan, &other};
  for (int i = 0; i < 2; ++i) {
    duckdb::BinarySerializer out(streams[i], options);
    out.Begin();
    WriteScan(out, both[i]->Cast<ScanBindData>());
    out.End();
  }
  return streams[0].GetPosition() == streams[1].GetPosition() &&
         std::memcmp(streams[0].GetData(), streams[1].GetData(), streams[0].GetPosition()) == 0;
}

void RefuseToSerialize(duckdb::TableFunction* function) {
  function->serialize = [](Serializer&, const FunctionDataPtr, const duckdb::TableFunction& self) {
    RefuseFunction(self.name);
  };
  function->deserialize = [](Deserializer&, duckdb::TableFunction& self) -> duckdb::unique_ptr<duckdb::FunctionData> {
    RefuseFunction(self.name);
  };
}

}  // namespace yarrow::sql
