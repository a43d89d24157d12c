// Scans in plans that DuckDB serialises: to compare subplans, to copy one, to verify a plan, to show it as JSON.
//
// DuckDB takes two scans for one when their bytes are equal, and makes a copy of a scan from its bytes. So they hold
// all that says which rows a scan gives and in which order: database, user, table, version, what was pushed in.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Gives yarrow_scan the means to be written and read.
void MakeSerializable(duckdb::TableFunction* scan);

// So that plans that are read can name it. It cannot be called: it has no arguments that say which table.
void RegisterScanFunction(duckdb::DatabaseInstance& instance);

// The bytes of both are equal.
bool IsSerializedAlike(const duckdb::FunctionData& scan, const duckdb::FunctionData& other);

// For functions whose call acts: a plan with one is neither copied nor compared.
void RefuseToSerialize(duckdb::TableFunction* function);

}  // namespace yarrow::sql
