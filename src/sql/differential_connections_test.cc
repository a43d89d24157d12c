// Two connections whose transactions overlap, here and on native DuckDB: each sees its snapshot and its own writes,
// what commits is the same, and no update is lost.
#include <gtest/gtest.h>

#include <array>

#include "differential_fixture.h"

namespace yarrow::sql {
namespace {

using duckdb::ExceptionType;
using Result = duckdb::unique_ptr<duckdb::MaterializedQueryResult>;

class DifferentialConnectionsTest : public test::DifferentialFixture {
 protected:
  struct Peer {
    std::unique_ptr<duckdb::Connection> ours, native;
    bool in_transaction = false, wrote = false;
    bool other_committed = false;  // writes, since this transaction began
  };

  void SetUp() override {
    DifferentialFixture::SetUp();
    for (Peer& peer : peers_) peer = {.ours = Connect("y"), .native = Connect("memory")};
  }
  Peer& Other(const Peer& peer) { return &peer == &peers_[0] ? peers_[1] : peers_[0]; }

  Result Query(duckdb::Connection& connection, const std::string& sql) {
    auto result = connection.Query(sql);
    log_ += Join(&connection == peers_[0].ours.get() || &connection == peers_[0].native.get() ? "1: " : "2: ", sql,
                 result->HasError() ? "  -- " + result->GetError().substr(0, 150) : "", "\n");
    return result;
  }
  static bool IsConflict(const Result& result) { return result->GetErrorObject().Type() == ExceptionType::TRANSACTION; }

  void BeginFor(Peer& peer) {
    peer.in_transaction = true;
    peer.wrote = peer.other_committed = false;
    // Both take their snapshot with the first look at a table.
    for (auto* connection : {peer.ours.get(), peer.native.get()}) {
      EXPECT_FALSE(Query(*connection, "BEGIN")->HasError());
      EXPECT_FALSE(Query(*connection, "SELECT count(*) FROM t")->HasError());
    }
  }
  void Rollback(Peer& peer) {
    peer.in_transaction = false;
    EXPECT_FALSE(Query(*peer.ours, "ROLLBACK")->HasError());
    EXPECT_FALSE(Query(*peer.native, "ROLLBACK")->HasError());
  }
  // Ours first: what it takes, the native side takes, too, but for keys that its index has not let go.
  void Commit(Peer& peer) {
    const Result ours = Query(*peer.ours, "COMMIT");
    if (ours->HasError()) {
      EXPECT_TRUE(IsConflict(ours) && peer.other_committed) << ours->GetError();
      ++conflicts_;
      peer.in_transaction = false;
      EXPECT_FALSE(Query(*peer.native, "ROLLBACK")->HasError());
      return;
    }
    peer.in_transaction = false;
    if (peer.wrote) Other(peer).other_committed = true;
    const Result native = Query(*peer.native, "COMMIT");
    if (!native->HasError()) return;
    EXPECT_EQ(native->GetErrorObject().RawMessage().find("INTERNAL"), std::string::npos);
    diverged_ = true;
  }
  // The native side alone saw a conflict, at once; here the commit must find it, when the other one has committed.
  void ExpectConflict(Peer& peer) {
    if (Other(peer).in_transaction) Commit(Other(peer));
    if (diverged_ || !peer.other_committed) return Rollback(peer);
    const Result ours = Query(*peer.ours, "COMMIT");
    EXPECT_TRUE(ours->HasError() && IsConflict(ours)) << "an update was lost";
    ++conflicts_;
    peer.in_transaction = false;
    EXPECT_FALSE(Query(*peer.native, "ROLLBACK")->HasError());
  }

  std::string Key() { return Join("a = ", Below(4), " AND b = 'k", Below(3), "'"); }
  std::string Change() {
    switch (Below(6)) {
      case 0:
        return "DELETE FROM t WHERE " + Key();
      case 1:
        return Join("INSERT INTO t VALUES (", Below(4), ", 'k", Below(3), "', ", Below(100), ")");
      case 2:
        return Join("UPDATE t SET v = v + 1 WHERE a = ", Below(4));
      default:
        return Join("UPDATE t SET v = v * 2 + ", Below(5), " WHERE ", Key());
    }
  }
  void Change(Peer& peer) {
    const std::string sql = Change();
    const Result native = Query(*peer.native, sql), ours = Query(*peer.ours, sql);
    ++statements_;
    if (!native->HasError() && !ours->HasError()) {
      EXPECT_EQ(Text(*ours), Text(*native));
      peer.wrote = peer.wrote || Text(*ours) != "0|\n";
    } else if (native->HasError() && !ours->HasError()) {
      IsConflict(native) ? ExpectConflict(peer) : Rollback(peer);
    } else {
      // A key that the other one deleted and committed is still there in the snapshot: a new row is refused here, while
      // the native index looks past the snapshot.
      const bool is_key_error = ours->GetErrorObject().Type() == ExceptionType::CONSTRAINT;
      EXPECT_TRUE(native->HasError() || ((IsConflict(ours) || is_key_error) && peer.other_committed)) << "ours alone";
      conflicts_ += IsConflict(ours) ? 1 : 0;
      Rollback(peer);
    }
  }
  void Look(Peer& peer) {
    const std::string where = OneIn(2) ? "" : " WHERE " + Key(), sql = "SELECT * FROM t" + where + " ORDER BY a, b";
    ++statements_;
    EXPECT_EQ(Text(*Query(*peer.ours, sql)), Text(*Query(*peer.native, sql)));
  }
  void Step() {
    Peer& peer = peers_[Below(2)];
    if (!peer.in_transaction) BeginFor(peer);
    if (OneIn(3)) {
      Look(peer);
    } else {
      Change(peer);
    }
    if (!peer.in_transaction || !OneIn(3)) return;
    if (OneIn(5)) {
      Rollback(peer);
    } else {
      Commit(peer);
      EXPECT_TRUE(diverged_ || Both("SELECT * FROM t ORDER BY a, b"));
    }
  }
  void MakeTable() {
    diverged_ = false;
    log_.clear();
    ASSERT_TRUE(Both("CREATE OR REPLACE TABLE t (a INTEGER, b VARCHAR, v BIGINT, PRIMARY KEY (a, b))"));
    ASSERT_TRUE(Both("INSERT INTO t SELECT i // 3, 'k' || (i % 3), i FROM range(0, 12, 2) r(i)"));
  }

  std::array<Peer, 2> peers_;
  bool diverged_ = false;
  int conflicts_ = 0;
  std::string log_;
};

TEST_F(DifferentialConnectionsTest, SameRowsAsNativeDuckDb) {
  YARROW_TRACE_SEED(seed_);
  for (int round = 0; round < test::Rounds(25); ++round) {
    ASSERT_NO_FATAL_FAILURE(MakeTable());
    for (int step = 0; step < 60 && !diverged_ && !HasFailure(); ++step) Step();
    for (Peer& peer : peers_) {
      if (peer.in_transaction) Rollback(peer);
    }
    ASSERT_FALSE(HasFailure()) << log_;
  }
  EXPECT_GT(conflicts_, 0);
}

}  // namespace
}  // namespace yarrow::sql
