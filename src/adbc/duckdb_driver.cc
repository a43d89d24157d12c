#include "adbc/duckdb_driver.h"

#include <cstring>
#include <duckdb/common/adbc/adbc.hpp>

extern "C" AdbcStatusCode duckdb_adbc_init(int version, void* driver, AdbcError* error);

namespace yarrow::adbc {

AdbcDriver& DuckDbDriver() {
  static AdbcDriver driver = [] {
    AdbcDriver made = {};
    duckdb_adbc_init(ADBC_VERSION_1_1_0, &made, nullptr);
    return made;
  }();
  return driver;
}

AdbcStatusCode Fail(AdbcError* error, AdbcStatusCode code, const std::string& message) {
  ::SetError(error, message);
  return code;
}

AdbcStatusCode GetText(const std::string& text, char* value, size_t* length) {
  if (value != nullptr && *length > text.size()) std::memcpy(value, text.c_str(), text.size() + 1);
  *length = text.size() + 1;
  return ADBC_STATUS_OK;
}

}  // namespace yarrow::adbc
