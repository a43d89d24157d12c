#include "type/well_known_binary.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace yarrow {
namespace {

enum class Shape : uint32_t {
  kPoint = 1,
  kLineString,
  kPolygon,
  kMultiPoint,
  kMultiLineString,
  kMultiPolygon,
  kCollection
};

// What the number of a geometry's type says: 1001 is a POINT with Z, 2001 one with M, 3001 one with both.
struct Header {
  Shape shape;
  uint32_t dimensions;  // 0 to 3
};

class WkbReader {
 public:
  explicit WkbReader(std::string_view bytes) : left_(bytes) {}

  bool at_end() const { return left_.empty(); }

  // `in`: the geometry around it.
  bool ReadGeometry(std::optional<Header> in, int depth) {
    constexpr int kMostDepth = 64;
    Header header{};
    if (depth > kMostDepth || !ReadHeader(&header) || (in && !MayLieIn(header, *in))) return false;
    const size_t vertex = sizeof(double) * (header.dimensions == 0 ? 2 : header.dimensions == 3 ? 4 : 3);
    switch (header.shape) {
      case Shape::kPoint:
        return Skip(1, vertex);
      case Shape::kLineString:
        return SkipVertices(vertex);
      case Shape::kPolygon:
        return ReadParts([&] { return SkipVertices(vertex); });
      default:
        return ReadParts([&] { return ReadGeometry(header, depth + 1); });
    }
  }

 private:
  static bool MayLieIn(const Header& part, const Header& whole) {
    constexpr auto kFromPartToMulti = static_cast<uint32_t>(Shape::kMultiPoint) - static_cast<uint32_t>(Shape::kPoint);
    if (part.dimensions != whole.dimensions) return false;
    return whole.shape == Shape::kCollection ||
           static_cast<uint32_t>(part.shape) + kFromPartToMulti == static_cast<uint32_t>(whole.shape);
  }

  bool ReadHeader(Header* header) {
    constexpr char kLittleEndian = 1;
    if (left_.empty() || left_.front() != kLittleEndian) return false;
    left_.remove_prefix(1);
    uint32_t number = 0;
    if (!ReadNumber(&number)) return false;
    *header = {static_cast<Shape>(number % 1000), number / 1000};
    return header->shape >= Shape::kPoint && header->shape <= Shape::kCollection && header->dimensions <= 3;
  }

  bool ReadNumber(uint32_t* number) {
    if (left_.size() < sizeof(*number)) return false;
    std::memcpy(number, left_.data(), sizeof(*number));
    left_.remove_prefix(sizeof(*number));
    return true;
  }

  bool Skip(uint64_t count, size_t size) {
    if (count > left_.size() / size) return false;
    left_.remove_prefix(static_cast<size_t>(count) * size);
    return true;
  }

  bool SkipVertices(size_t vertex) {
    uint32_t count = 0;
    return ReadNumber(&count) && Skip(count, vertex);
  }

  template <class ReadPart>
  bool ReadParts(const ReadPart& read) {
    uint32_t count = 0;
    if (!ReadNumber(&count)) return false;
    for (; count > 0; --count) {
      if (!read()) return false;
    }
    return true;
  }

  std::string_view left_;
};

}  // namespace

bool IsWellKnownBinary(std::string_view bytes) {
  WkbReader reader(bytes);
  return reader.ReadGeometry(std::nullopt, 0) && reader.at_end();
}

}  // namespace yarrow
