// What Database, Session, Table and Transaction share of an open database.
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <memory>

#include "catalog/catalog.h"
#include "yarrow/database.h"
#include "yarrow/store.h"

namespace yarrow {

// Settings that reading code looks at; system.settings has them all.
struct LiveSettings {
  std::atomic<int> scan_threads{1};
};

class DatabaseImpl {
 public:
  static arrow::Result<std::shared_ptr<DatabaseImpl>> Open(std::shared_ptr<Store> store);

  // What is behind the facade, for layers that work below it.
  static const std::shared_ptr<DatabaseImpl>& Of(const Database& database) { return database.impl_; }

  const std::shared_ptr<Store>& store() const { return store_; }
  Catalog& catalog() { return *catalog_; }
  const LiveSettings& settings() const { return settings_; }
  arrow::Status SetSetting(std::string_view name, std::string_view value);

 private:
  explicit DatabaseImpl(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  arrow::Status LoadSettings();
  arrow::Status FailInterruptedJobs();

  const std::shared_ptr<Store> store_;
  std::unique_ptr<Catalog> catalog_;
  LiveSettings settings_;
};

}  // namespace yarrow
