// The driver's functions as a driver manager gets them: what one of them throws comes back as its error. An exception
// that leaves a function called from C ends the process.
#pragma once

#include <duckdb/common/adbc/adbc.h>

#include <duckdb/common/error_data.hpp>
#include <exception>
#include <tuple>
#include <type_traits>

#include "adbc/duckdb_driver.h"

namespace yarrow::adbc {

// Our functions, and DuckDB's where there is none of ours.
const AdbcDriver& OwnDriver();

template <auto kEntry, class Function>
struct Guarded;

// kEntry: a member of AdbcDriver. The last argument of all is the error.
template <auto kEntry, class... Arguments>
struct Guarded<kEntry, AdbcStatusCode (*)(Arguments...)> {
  static AdbcStatusCode Call(Arguments... arguments) {
    try {
      return (OwnDriver().*kEntry)(arguments...);
    } catch (const std::exception& exception) {
      AdbcError* const error = std::get<sizeof...(Arguments) - 1>(std::make_tuple(arguments...));
      return Fail(error, ADBC_STATUS_INTERNAL, duckdb::ErrorData(exception).Message());
    }
  }
};

template <auto kEntry>
void SetGuardedEntry(AdbcDriver* driver) {
  using Function = std::remove_reference_t<decltype(driver->*kEntry)>;
  if (OwnDriver().*kEntry != nullptr) driver->*kEntry = Guarded<kEntry, Function>::Call;
}

// Sets these members of the driver's table, but for those that nobody has.
template <auto... kEntries>
void SetGuarded(AdbcDriver* driver) {
  (SetGuardedEntry<kEntries>(driver), ...);
}

}  // namespace yarrow::adbc
