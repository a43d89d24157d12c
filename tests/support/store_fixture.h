// For tests: a store with one partition, optionally on a gated file system.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "arrow_assert.h"
#include "gated_env.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "temp_dir.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow::test {

class StoreFixture : public testing::Test {
 protected:
  void SetUp() override { Open({.durability = Durability::kOs}); }
  void TearDown() override { gate_.Open(); }  // let nobody hang

  void Open(const StoreOptions& options) {
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, OpenStoreOn(&gate_, dir_.File("db"), options));
    ASSERT_OK_AND_ASSIGN(p_, store_->OpenPartition("p"));
    ASSERT_OK_AND_ASSIGN(q_, store_->OpenPartition("q"));
  }

  static std::string Key(uint64_t number) {
    char text[24];
    std::snprintf(text, sizeof(text), "%08llu", static_cast<unsigned long long>(number));
    return text;
  }

  void Put(std::string_view key, std::string_view value) {
    ASSERT_OK(store_->commits().CommitPut(p_, key, value).status());
  }
  arrow::Status PutIn(WriteTransactionToken* token, std::string_view key, std::string_view value) {
    return store_->commits().CommitPut(p_, key, value, {.transaction = token}).status();
  }
  std::string Get(std::string_view key, const Snapshot& snapshot = {}) { return GetFrom(p_, key, snapshot); }
  std::string GetFrom(Partition partition, std::string_view key, const Snapshot& snapshot = {}) {
    PinnedValue value;
    const auto found = store_->Get(partition, key, &value, snapshot);
    if (!found.ok()) return found.status().ToString();
    return *found ? std::string(value.view()) : "(none)";
  }

  uint64_t Figure(const std::string& name) {
    for (const auto& [key, value] : store_->Statistics()) {
      if (key == name) return value;
    }
    ADD_FAILURE() << "no figure " << name;
    return 0;
  }
  void AwaitFigure(const std::string& name, uint64_t at_least) {
    while (Figure(name) < at_least) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  GatedEnv gate_;  // outlives the store
  TempDir dir_;
  std::shared_ptr<Store> store_;
  Partition p_;
  Partition q_;
};

}  // namespace yarrow::test
