#include <arrow/api.h>
#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "table_fixture.h"
#include "yarrow/batch.h"

namespace yarrow {
namespace {

struct Parts {
  std::shared_ptr<arrow::Schema> schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())});
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
};

Parts GoodParts() {
  Parts parts;
  parts.columns = {test::MakeArray(TypeId::kInt64, {1, 2, 3}).ValueOrDie()->data(),
                   test::MakeArray(TypeId::kUtf8, {"x", Value(), "z"}).ValueOrDie()->data()};
  return parts;
}

// Each mistake on its own; all are seen by the validated way, and by the trusted way in debug builds only.
std::vector<Parts> WrongParts() {
  std::vector<Parts> all(4, GoodParts());
  all[0].columns.pop_back();                                                             // a column short
  all[1].columns[1] = test::MakeArray(TypeId::kUtf8, {"x"}).ValueOrDie()->data();        // too short
  all[2].columns[0] = test::MakeArray(TypeId::kInt32, {1, 2, 3}).ValueOrDie()->data();   // of another type
  const auto bytes = test::MakeArray(TypeId::kBinary, {"x", "\xFF", "z"}).ValueOrDie();  // not UTF-8
  all[3].columns[1] = bytes->data()->Copy();
  all[3].columns[1]->type = arrow::utf8();
  return all;
}

TEST(CreateBatch, CarriesTheSchemaObject) {
  const Parts parts = GoodParts();
  ASSERT_OK_AND_ASSIGN(const auto trusted, CreateBatchTrusted(parts.schema, parts.columns, 3));
  ASSERT_OK_AND_ASSIGN(const auto validated, CreateBatchValidated(parts.schema, parts.columns, 3));
  EXPECT_EQ(trusted->schema().get(), parts.schema.get());
  EXPECT_EQ(trusted->num_rows(), 3);
  EXPECT_TRUE(trusted->Equals(*validated));
  ASSERT_OK(trusted->ValidateFull());
}

TEST(CreateBatch, ValidatedRefusesEveryMistake) {
  for (const Parts& parts : WrongParts()) EXPECT_FALSE(CreateBatchValidated(parts.schema, parts.columns, 3).ok());
}

TEST(CreateBatch, TrustedChecksInDebugBuildsOnly) {
  for (const Parts& parts : WrongParts()) {
#ifdef NDEBUG
    EXPECT_TRUE(CreateBatchTrusted(parts.schema, parts.columns, 3).ok());
#else
    EXPECT_FALSE(CreateBatchTrusted(parts.schema, parts.columns, 3).ok());
#endif
  }
}

}  // namespace
}  // namespace yarrow
