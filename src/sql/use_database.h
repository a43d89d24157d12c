// USE, for connections of ours: in a confined session no statement may do that.
#pragma once

#include <string>

namespace duckdb {
class ClientContext;
}

namespace yarrow::sql {

// Names without a database are of that one from now on. Throws when there is none of the name.
void UseDatabase(duckdb::ClientContext& context, const std::string& database);

}  // namespace yarrow::sql
