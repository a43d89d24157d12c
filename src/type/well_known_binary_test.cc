#include "type/well_known_binary.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "yarrow/value.h"

namespace yarrow {
namespace {

std::string Head(uint32_t type) {
  std::string bytes(1, '\1');
  return bytes.append(reinterpret_cast<const char*>(&type), sizeof(type));
}
std::string Count(uint32_t count) {
  return std::string(reinterpret_cast<const char*>(&count), sizeof(count));
}
std::string Numbers(int count) {
  return std::string(static_cast<size_t>(count) * sizeof(double), '\0');
}

TEST(WellKnownBinary, TakesEachShape) {
  const std::string point = Head(1) + Numbers(2), line = Head(2) + Count(2) + Numbers(4);
  const std::string polygon = Head(3) + Count(2) + Count(1) + Numbers(2) + Count(0);
  for (const std::string& bytes :
       {point, line, polygon, Head(1001) + Numbers(3), Head(2001) + Numbers(3), Head(3001) + Numbers(4),
        Head(4) + Count(2) + point + point, Head(5) + Count(1) + line, Head(6) + Count(1) + polygon,
        Head(7) + Count(3) + point + polygon + Head(7) + Count(0)}) {
    EXPECT_TRUE(IsWellKnownBinary(bytes)) << bytes.size();
  }
}

TEST(WellKnownBinary, RefusesWhatDuckDbCannotRead) {
  const std::string point = Head(1) + Numbers(2);
  std::string big_endian = point;
  big_endian[0] = '\0';
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += Head(7) + Count(1);
  for (const std::string& bytes :
       {std::string(), std::string("POINT (1 2)"), big_endian, point + "x", point.substr(0, point.size() - 1), Head(0),
        Head(8) + Count(0), Head(4001) + Numbers(4), Head(2) + Count(0xFFFFFFFF),
        Head(4) + Count(1) + Head(1001) + Numbers(3), Head(4) + Count(1) + Head(2) + Count(0), deep + point}) {
    EXPECT_FALSE(IsWellKnownBinary(bytes)) << bytes.size();
  }
}

TEST(WellKnownBinary, AValueIsChecked) {
  EXPECT_TRUE(Value(Head(1) + Numbers(2)).CastTo(TypeId::kGeometry).ok());
  const auto refused = Value("POINT (1 2)").CastTo(TypeId::kGeometry);
  EXPECT_TRUE(refused.status().IsInvalid()) << refused.status();
  EXPECT_NE(refused.status().message().find("WKB"), std::string::npos) << refused.status();
}

}  // namespace
}  // namespace yarrow
