#include "adbc/error_status.h"

#include <algorithm>
#include <iterator>

#include "sql/error_class.h"

namespace yarrow::adbc {
namespace {

// By the beginning of the SQLSTATE; the first row that fits counts. IO is an OperationalError in Python: the statement
// may be right, and run another time.
constexpr struct {
  std::string_view sqlstate;
  AdbcStatusCode code;
} kStatus[] = {
    {"0A", ADBC_STATUS_NOT_IMPLEMENTED},
    {"08", ADBC_STATUS_IO},
    {"22", ADBC_STATUS_INVALID_DATA},
    {"23", ADBC_STATUS_INTEGRITY},
    {"25006", ADBC_STATUS_UNAUTHORIZED},
    {"25", ADBC_STATUS_INVALID_STATE},
    {"2BP01", ADBC_STATUS_INVALID_STATE},
    {"3D000", ADBC_STATUS_NOT_FOUND},
    {"3F000", ADBC_STATUS_NOT_FOUND},
    {"40", ADBC_STATUS_IO},
    {"42501", ADBC_STATUS_UNAUTHORIZED},
    {"42701", ADBC_STATUS_ALREADY_EXISTS},
    {"42703", ADBC_STATUS_NOT_FOUND},
    {"42704", ADBC_STATUS_NOT_FOUND},
    {"42883", ADBC_STATUS_NOT_FOUND},
    {"42P01", ADBC_STATUS_NOT_FOUND},
    {"42P06", ADBC_STATUS_ALREADY_EXISTS},
    {"42P07", ADBC_STATUS_ALREADY_EXISTS},
    {"53", ADBC_STATUS_IO},
    {"57014", ADBC_STATUS_CANCELLED},
    {"58", ADBC_STATUS_IO},
    {"XX", ADBC_STATUS_INTERNAL},
};

// Some errors have the statement in front that DuckDB's driver ran itself.
std::string_view SqlStateOf(std::string_view message) {
  constexpr std::string_view kStatement = "Failed to execute query \"", kAfter = "\": ";
  if (message.starts_with(kStatement)) {
    message.remove_prefix(std::min(message.find(kAfter, kStatement.size()), message.size() - kAfter.size()));
    message.remove_prefix(kAfter.size());
  }
  return sql::ClassOf(message).sqlstate;
}

}  // namespace

AdbcStatusCode StatusOf(std::string_view message, AdbcStatusCode code) {
  const std::string_view sqlstate = SqlStateOf(message);
  if (sqlstate.empty()) return code;
  const auto* row = std::ranges::find_if(kStatus, [&](const auto& one) { return sqlstate.starts_with(one.sqlstate); });
  return row == std::end(kStatus) ? ADBC_STATUS_INVALID_ARGUMENT : row->code;
}

AdbcStatusCode Classify(AdbcStatusCode code, AdbcError* error) {
  if (code == ADBC_STATUS_OK || error == nullptr || error->message == nullptr) return code;
  const std::string_view sqlstate = SqlStateOf(error->message);
  std::ranges::copy(sqlstate, error->sqlstate);
  return StatusOf(error->message, code);
}

}  // namespace yarrow::adbc
