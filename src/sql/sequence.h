// Sequences: their entries in DuckDB's catalog, and the functions that take their numbers.
#pragma once

#include <duckdb/catalog/catalog_entry/sequence_catalog_entry.hpp>

#include <cstdint>
#include <memory>
#include <optional>

#include "catalog/catalog.h"
#include "catalog/schema_object.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// The numbers that a sequence gives, in order.
struct SequenceNumbers {
  int64_t start = 1;
  int64_t increment = 1;  // not 0
  int64_t least = 1;
  int64_t greatest = 1;
  bool cycles = false;

  // How many there are; nothing when they cycle.
  std::optional<int64_t> Count() const;
  // The n-th, from 1 on.
  int64_t At(int64_t n) const;
};

// One sequence of a Yarrow database. Its numbers are the store's (ObjectEntry::numbers): no rollback takes one back and
// no two transactions get the same. DuckDB reads the data of the base class for lists: they are those of the moment in
// which the entry was made or Show was called. Thread-safe but for Show.
class SqlSequence : public duckdb::SequenceCatalogEntry, public std::enable_shared_from_this<SqlSequence> {
 public:
  SqlSequence(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema, duckdb::CreateSequenceInfo& info,
              std::shared_ptr<const ObjectEntry> object);

  // The first of `count` numbers; Number(first), Number(first + 1) and so on are their values. Throws a
  // SequenceException where the sequence ends before.
  int64_t Take(int64_t count);
  int64_t Number(int64_t n) const { return numbers_.At(n); }
  // The number that was given last, whoever got it. Throws a SequenceException when none was.
  int64_t Last() const;

  // An entry with the data of this moment.
  std::shared_ptr<SqlSequence> Show(duckdb::ClientContext& context) const;

 private:
  const std::shared_ptr<const ObjectEntry> object_;
  const SequenceNumbers numbers_;
};

// Puts nextval and currval of Yarrow's sequences in front of DuckDB's, which take every sequence for one of DuckDB's.
void RegisterSequenceFunctions(duckdb::DatabaseInstance& instance);

}  // namespace yarrow::sql
