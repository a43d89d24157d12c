// For tests: a catalog over a store of its own, to be closed and opened again.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "arrow_assert.h"
#include "catalog/catalog.h"
#include "temp_dir.h"

namespace yarrow::test {

class CatalogFixture : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    catalog_.reset();
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db"), {.durability = Durability::kOs}));
    ASSERT_OK_AND_ASSIGN(catalog_, Catalog::Open(store_));
  }

  TempDir dir_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<Catalog> catalog_;
};

}  // namespace yarrow::test
