// What FOREIGN KEYs say of the definitions of two tables.
#pragma once

#include <arrow/result.h>

#include "yarrow/table_definition.h"

namespace yarrow {

// Fills in the names.
void NameReference(const TableDefinition& referenced, Reference* reference);

// What the index, whose columns are there, refers to. Invalid or KeyError, naming both tables and their columns, unless
// it is a key of the table referred to, of as many columns and the same types.
arrow::Result<Reference> DefineReference(const TableDefinition& table, const IndexDefinition& index,
                                         const TableDefinition& referenced, const ReferenceSpec& spec);

}  // namespace yarrow
