// The options of a table in SQL: CREATE TABLE ... WITH (kind = 'user', flush_rows = 1000000), ALTER TABLE ... SET
// (ttl_column = 'at', ttl = '30 days'), ALTER TABLE ... RESET (flush_rows).
#pragma once

#include <optional>
#include <string>

#include "sql/duckdb_api.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// 'scan' or 'lookup'; nothing else is.
std::optional<OptimizeFor> ParseLayout(const std::string& text);

using TableOptions = duckdb::case_insensitive_map_t<duckdb::unique_ptr<duckdb::ParsedExpression>>;

// WITH (...) of a table: what differs from the defaults.
TableOptions TableOptionsOf(const TableDefinition& table);

// Each throws BinderException, naming table, option and value. `table` is for messages.
TableKind TakeKind(const std::string& table, const TableOptions& options);
// The policy with what the options change of it; `kind` is passed over if `is_new`, and an error else.
TierPolicy SetTableOptions(const std::string& table, const TableOptions& options, bool is_new, TierPolicy policy);
TierPolicy ResetTableOptions(const std::string& table, const duckdb::case_insensitive_set_t& options,
                             TierPolicy policy);

}  // namespace yarrow::sql
