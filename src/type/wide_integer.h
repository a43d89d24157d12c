// Integers of more than 64 bits: HUGEINT and UHUGEINT with 128, BIGNUM with as many as they need. Pure functions.
//
// In rows and batches a HUGEINT or UHUGEINT is 16 big-endian bytes, the sign bit of a HUGEINT flipped, so that the
// bytes sort as the numbers do. A BIGNUM lies as in DuckDB, and its bytes sort as the numbers do, too: 3 bytes,
// big-endian, that are 0x800000 plus the number of bytes that follow; then the absolute value, big-endian, without
// leading zero bytes (zero is one zero byte). All bits of a negative number are inverted. Frozen: on disk.
#pragma once

#include <arrow/util/decimal.h>

#include <optional>
#include <string>
#include <string_view>

#include "yarrow/value.h"

namespace yarrow {

std::string FormatInteger(Int128 number);
std::string FormatInteger(UInt128 number);

// A sign, then digits; nothing for other texts and for numbers out of range.
std::optional<Int128> ParseHugeint(std::string_view text);
std::optional<UInt128> ParseUHugeint(std::string_view text);

Uuid ToSortedBytes(Int128 number);
Uuid ToSortedBytes(UInt128 number);
Int128 HugeintFromSorted(const Uuid& bytes);
UInt128 UHugeintFromSorted(const Uuid& bytes);

arrow::Decimal256 ToDecimal256(Int128 number);
arrow::Decimal256 ToDecimal256(UInt128 number);
// Nothing when 128 bits are too few.
std::optional<Int128> HugeintFrom(const arrow::Decimal256& number);
std::optional<UInt128> UHugeintFrom(const arrow::Decimal256& number);

bool IsBignum(std::string_view bytes);
// REQUIRES: IsBignum(bytes).
std::string FormatBignum(std::string_view bytes);
std::optional<std::string> ParseBignum(std::string_view text);

}  // namespace yarrow
