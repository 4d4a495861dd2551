// SPDX-License-Identifier: Apache-2.0
#include "service/rights_audit.h"

#include "base/sha256.h"
#include "catch.h"
#include "photos/candidates.h"
#include "photos/ruling.h"
#include "service/fake_provider.h"
#include "service/take_down.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::service;
using test::a_candidate;
using test::FakeProvider;
using State = Audited::State;

namespace {

// A ledger with pictures of one provider, each with its evidence.
struct Used {
  test::TemporaryFolder folder;
  ManualClock clock{1'000'000};
  store::Store store{folder / "test.db", clock};
  FakeProvider commons{"commons"};
  photos::Policy policy;

  std::string add(const std::string& id) {
    photos::Candidate record = a_candidate("commons", "cc-by-4.0");
    record.source_id = id;
    record.landing_url = "https://commons.example/" + id;
    commons.records.push_back(record);
    const std::string photo = sha256_hex(id);
    const photos::Ruling ruling = photos::rule_on(record, policy, clock.now());
    store.add_evidence({0, photo, "commons", id, record.landing_url, record.file_url,
                        photos::to_json(ruling), record.raw, "", 1});
    store::CreditEntry entry;
    entry.card_path = id + ".jpg";
    entry.card_sha256 = entry.photo_id = photo;
    entry.credit = photos::credit_of(record, ruling);
    entry.line = credit_line(entry.credit);
    store.add_credit(entry);
    return photo;
  }
  std::vector<Audited> audit() {
    photos::Provider* one = &commons;
    return audit_photos(store, policy, std::array{one});
  }
};

}  // namespace

TEST_CASE("the audit tells what changed at the source, and keeps each answer", "[audit]") {
  Used used;
  const std::string same = used.add("same");
  used.add("renamed");
  used.add("closed");
  used.add("gone");
  used.add("doubted");
  used.commons.records[1].creator = "Ana Other";
  used.commons.records[2].license.code = "cc-by-nc-4.0";
  used.commons.records[4].license.objections = {"DeletionReason: copied"};
  used.commons.records.erase(used.commons.records.begin() + 3);

  const auto report = used.audit();
  REQUIRE(report.size() == 5);
  CHECK(report[0].state == State::Same);
  CHECK(report[0].cards == 1);
  CHECK(report[1].state == State::Changed);
  CHECK(report[1].detail == "author: Ana Example, now Ana Other");
  CHECK(report[2].state == State::Refused);
  CHECK(report[2].detail.find("commercial") != std::string::npos);
  CHECK(report[3].state == State::Gone);
  CHECK(report[4].state == State::Refused);
  CHECK(report[4].detail.find("copied") != std::string::npos);
  CHECK(used.store.evidence(same).size() == 2);
  CHECK(used.store.evidence(report[3].photo_id).size() == 1);
}

TEST_CASE("the audit asks nothing about what was taken down or has no provider", "[audit]") {
  Used used;
  used.add("a");
  const std::string b = used.add("b");
  take_down(used.store, b, "why");
  const auto report = used.audit();
  REQUIRE(report.size() == 1);
  CHECK(used.commons.lookups == 1);
  CHECK(audit_photos(used.store, used.policy, {})[0].state == State::Unasked);
  used.commons.down = true;
  CHECK(used.audit()[0].state == State::Failed);
}

TEST_CASE("a policy that was tightened shows in the audit without any provider", "[audit]") {
  Used used;
  used.policy.allow_old_versions = true;
  used.add("old");
  store::CreditEntry entry = used.store.credits()[0];
  entry.card_path = "second.jpg";
  entry.photo_id = sha256_hex("second");
  entry.credit.license = "CC-BY-2.0";
  used.store.add_credit(entry);
  const auto report = audit_photos(used.store, {}, {});
  REQUIRE(report.size() == 2);
  CHECK(report[0].state == State::Unasked);
  CHECK(report[1].state == State::Refused);
}
