// Codecs: how EntityStore turns keys and values of a program into bytes and back.
//
// A codec of T is any struct with
//
//   static void Encode(const T& value, std::string* out);           // appends
//   static arrow::Result<T> Decode(std::string_view bytes);          // an error for bytes that are no T
//
// and, if the bytes of a T already lie in memory as they are stored, a zero-copy shortcut:
//
//   static std::string_view View(const T& value);
//
// A key codec must keep order: a < b exactly when Encode(a) sorts before Encode(b) as unsigned bytes.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace yarrow {

template <class C, class T>
concept Codec = requires(const T& value, std::string* out, std::string_view bytes) {
  { C::Encode(value, out) } -> std::same_as<void>;
  { C::Decode(bytes) } -> std::same_as<arrow::Result<T>>;
};

// The codecs used when a program names none. Specialise them for a type of your own, or pass a codec by name.
template <class T>
struct DefaultKeyCodec;
template <class T>
struct DefaultValueCodec;

template <class T>
concept PlainInteger = std::integral<T> && !std::same_as<std::remove_cv_t<T>, bool>;

// Big-endian, sign bit flipped for signed integers: byte order is number order.
template <PlainInteger T>
struct DefaultKeyCodec<T> {
  using Unsigned = std::make_unsigned_t<T>;
  static constexpr Unsigned kSignBit = std::is_signed_v<T> ? Unsigned{1} << (sizeof(T) * 8 - 1) : Unsigned{0};

  static void Encode(const T& value, std::string* out) {
    Unsigned bits = static_cast<Unsigned>(static_cast<Unsigned>(value) ^ kSignBit);
    char bytes[sizeof(T)];
    for (size_t i = sizeof(T); i-- > 0;) {
      bytes[i] = static_cast<char>(bits & 0xff);
      bits = static_cast<Unsigned>(static_cast<uint64_t>(bits) >> 8);
    }
    out->append(bytes, sizeof(T));
  }

  static arrow::Result<T> Decode(std::string_view bytes) {
    if (bytes.size() != sizeof(T)) {
      return arrow::Status::Invalid("expected an integer of ", sizeof(T), " bytes, found ", bytes.size(), " bytes");
    }
    uint64_t bits = 0;
    for (char c : bytes) bits = bits << 8 | static_cast<uint8_t>(c);
    return static_cast<T>(static_cast<Unsigned>(bits) ^ kSignBit);
  }
};

// Bytes as they are.
struct StringCodec {
  static void Encode(const std::string& value, std::string* out) { out->append(value); }
  static std::string_view View(const std::string& value) { return value; }
  static arrow::Result<std::string> Decode(std::string_view bytes) { return std::string(bytes); }
};

// Bytes as they are, not copied: what Decode returns lives as long as the bytes it was given, in a scan until the
// iterator moves on.
struct StringViewCodec {
  static void Encode(const std::string_view& value, std::string* out) { out->append(value); }
  static std::string_view View(const std::string_view& value) { return value; }
  static arrow::Result<std::string_view> Decode(std::string_view bytes) { return bytes; }
};

template <>
struct DefaultKeyCodec<std::string> : StringCodec {};
template <>
struct DefaultKeyCodec<std::string_view> : StringViewCodec {};
template <>
struct DefaultValueCodec<std::string> : StringCodec {};
template <>
struct DefaultValueCodec<std::string_view> : StringViewCodec {};
template <PlainInteger T>
struct DefaultValueCodec<T> : DefaultKeyCodec<T> {};

// The encoded bytes of one value, for as long as both the value and this object live.
template <class C, class T>
class EncodedBytes {
 public:
  explicit EncodedBytes(const T& value) {
    if constexpr (kHasView) {
      view_ = C::View(value);
    } else {
      C::Encode(value, &buffer_);
      view_ = buffer_;
    }
  }
  EncodedBytes(const EncodedBytes&) = delete;
  EncodedBytes& operator=(const EncodedBytes&) = delete;
  std::string_view view() const { return view_; }

 private:
  static constexpr bool kHasView = requires(const T& value) {
    { C::View(value) } -> std::same_as<std::string_view>;
  };
  std::string buffer_;
  std::string_view view_;
};

// The smallest key above every key that starts with `prefix`; empty (no bound) if there is none.
std::string PrefixEnd(std::string_view prefix);

// A key as people read it: "abc" when printable, else 0x616263, cut after 64 bytes.
std::string FormatKey(std::string_view key);

}  // namespace yarrow
