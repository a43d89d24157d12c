// The driver's functions as a driver manager gets them: what one of them throws comes back as its error, and
// each error gets its status and SQLSTATE. An exception
// that leaves a function called from C ends the process. In a process that was forked while a database was open each is
// an error before anything is looked at, but for the release of a handle, which forgets it.
#pragma once

#include <duckdb/common/adbc/adbc.h>

#include <duckdb/common/error_data.hpp>
#include <exception>
#include <tuple>
#include <type_traits>

#include "adbc/duckdb_driver.h"
#include "adbc/error_status.h"
#include "adbc/guarded_stream.h"
#include "yarrow/database.h"

namespace yarrow::adbc {

// Our functions, and DuckDB's where there is none of ours.
const AdbcDriver& OwnDriver();

template <auto kEntry, auto kOther>
constexpr bool kIsEntry =
    std::is_same_v<std::integral_constant<decltype(kEntry), kEntry>, std::integral_constant<decltype(kOther), kOther>>;

template <auto kEntry>
constexpr bool kReleasesHandle =
    kIsEntry<kEntry, &AdbcDriver::DatabaseRelease> || kIsEntry<kEntry, &AdbcDriver::ConnectionRelease> ||
    kIsEntry<kEntry, &AdbcDriver::StatementRelease>;

// A stream that an entry has made. (One that was given to it is released by now.)
template <class Argument>
void GuardMadeStream(Argument argument) {
  if constexpr (std::is_same_v<Argument, ArrowArrayStream*>) {
    if (argument != nullptr && argument->release != nullptr) GuardStream(argument);
  }
}

template <auto kEntry, class Function>
struct Guarded;

// kEntry: a member of AdbcDriver. The last argument of all is the error.
template <auto kEntry, class... Arguments>
struct Guarded<kEntry, AdbcStatusCode (*)(Arguments...)> {
  static AdbcStatusCode Call(Arguments... arguments) {
    AdbcError* const error = std::get<sizeof...(Arguments) - 1>(std::make_tuple(arguments...));
    try {
      if (const arrow::Status process = CheckProcess(); !process.ok()) return Refuse(process, error, arguments...);
      const AdbcStatusCode code = (OwnDriver().*kEntry)(arguments...);
      if (code == ADBC_STATUS_OK) (GuardMadeStream(arguments), ...);
      return Classify(code, error);
    } catch (const std::exception& exception) {
      return Classify(Fail(error, ADBC_STATUS_INTERNAL, duckdb::ErrorData(exception).Message()), error);
    }
  }

 private:
  template <class Handle, class... Rest>
  static AdbcStatusCode Refuse(const arrow::Status& process, AdbcError* error, Handle* handle, Rest...) {
    if constexpr (kReleasesHandle<kEntry>) {
      if (handle != nullptr) handle->private_data = nullptr;
      return ADBC_STATUS_OK;
    } else {
      return Fail(error, ADBC_STATUS_INVALID_STATE, process.message());
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
