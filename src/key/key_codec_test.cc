#include "key/key_codec.h"

#include "arrow_assert.h"
#include "key/key_range.h"

namespace yarrow {
namespace {

TEST(KeyCodecTest, CompositeKeysReadBack) {
  ASSERT_OK_AND_ASSIGN(const KeyCodec codec,
                       KeyCodec::Make({{TypeId::kInt64}, {TypeId::kUtf8}, {TypeId::kDouble, true}}));
  const std::vector<Value> values = {Value(-5), Value(std::string("a\0b", 3)), Value::Null()};
  std::string key;
  ASSERT_OK(codec.Encode(values, &key));
  EXPECT_EQ(key, std::string("\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFB"
                             "a\0\xFF"
                             "b\0\x01\x02",
                             15));
  ASSERT_OK_AND_ASSIGN(const std::vector<Value> decoded, codec.Decode(key));
  ASSERT_EQ(decoded.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(CompareValues(decoded[i], values[i]), std::weak_ordering::equivalent);
}

}  // namespace
}  // namespace yarrow
