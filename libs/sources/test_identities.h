#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/base/time.h"
#include "libs/event_log/embedded/embedded_log.h"
#include "libs/projector/testing/fixture.h"
#include "libs/sources/identifier_index.h"
#include "libs/touchpoint/identity.h"
#include "libs/touchpoint/record.h"

namespace rapport::testing {

inline constexpr absl::Duration kPatience = absl::Seconds(20);

inline Identifier Phone(const std::string& value) {
  return {.kind = touchpoint::v1::IDENTIFIER_KIND_PHONE, .value = value};
}
inline Identifier Mail(const std::string& value) {
  return {.kind = touchpoint::v1::IDENTIFIER_KIND_E_MAIL, .value = value};
}

// An index over a log in memory, and touchpoints about identities.
class IdentityFixture : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  IdentityFixture()
      : log_(NewInMemoryEventLog()),
        resources_({.memory_bytes = size_t{32} << 20}),
        budget_(size_t{64} << 20) {
    EXPECT_OK(log_->CreateTopic("touchpoints", kPartitions));
    EXPECT_OK(log_->CreateTopic("alerts", kPartitions));
  }

  // `process`: name of the process whose copy it is.
  std::unique_ptr<IdentifierIndex> StartIndex(const std::string& process = "one") {
    return StartIndex(process, log_.get());
  }
  std::unique_ptr<IdentifierIndex> StartIndex(const std::string& process, EventLog* log) {
    auto index = IdentifierIndex::Start(log, {}, &resources_, &budget_,
                                        {.folder = folder_ / absl::StrCat(process, "/identity"),
                                         .group = absl::StrCat("identity-", process),
                                         .member = process,
                                         .rules = rules_,
                                         .fold = {.commit_interval = commit_interval_}});
    EXPECT_OK(index);
    EXPECT_OK((*index)->Load(kPatience));
    return *std::move(index);
  }

  touchpoint::v1::Touchpoint Make(const std::string& client) {
    touchpoint::v1::Touchpoint touchpoint;
    touchpoint.set_client_id(client);
    touchpoint.set_source("test");
    touchpoint.set_source_event_id(absl::StrCat(++made_));
    touchpoint.set_event_id(std::string(MakeEventId("test", touchpoint.source_event_id()).view()));
    ToProto(Day(0) + absl::Hours(made_), touchpoint.mutable_occurred_at());
    *touchpoint.mutable_recorded_at() = touchpoint.occurred_at();
    return touchpoint;
  }
  void Append(const touchpoint::v1::Touchpoint& touchpoint) {
    ASSERT_OK(log_->Append("touchpoints", {MakeRecord(touchpoint)}));
  }
  void Link(const std::string& client, const Identifier& identifier) {
    touchpoint::v1::Touchpoint touchpoint = Make(client);
    touchpoint.mutable_identifier_linked()->set_kind(identifier.kind);
    touchpoint.mutable_identifier_linked()->set_value(identifier.value);
    touchpoint.mutable_identifier_linked()->set_issuer(identifier.issuer);
    Append(touchpoint);
  }
  // A person of the client with that number.
  void AddPerson(const std::string& client, const std::string& person, const std::string& phone) {
    touchpoint::v1::Touchpoint touchpoint = Make(client);
    auto* stakeholder = touchpoint.mutable_stakeholder_added()->mutable_stakeholder();
    stakeholder->set_stakeholder_id(person);
    stakeholder->set_phone(phone);
    Append(touchpoint);
  }
  touchpoint::v1::Touchpoint CallOf(const std::string& client, const std::string& phone) {
    touchpoint::v1::Touchpoint touchpoint = Make(client);
    touchpoint.mutable_call_completed()->set_outcome(touchpoint::v1::CALL_OUTCOME_ANSWERED);
    touchpoint.mutable_call_completed()->set_client_phone(phone);
    return touchpoint;
  }
  void Merge(const std::string& absorbed, const std::string& survivor) {
    touchpoint::v1::Touchpoint touchpoint = Make(absorbed);
    touchpoint.mutable_clients_merged()->set_absorbed_client_id(absorbed);
    touchpoint.mutable_clients_merged()->set_survivor_client_id(survivor);
    Append(touchpoint);
  }
  void Reopen(const std::string& client, const std::string& absorbed_into) {
    touchpoint::v1::Touchpoint touchpoint = Make(client);
    retellings_[client] = absl::StrCat("r", made_);
    touchpoint.mutable_history_reopened()->set_retelling_id(retellings_[client]);
    touchpoint.mutable_history_reopened()->set_forgets(true);
    touchpoint.mutable_history_reopened()->set_absorbed_into_client_id(absorbed_into);
    Append(touchpoint);
  }
  void Close(const std::string& client) {
    touchpoint::v1::Touchpoint touchpoint = Make(client);
    touchpoint.mutable_history_closed()->set_retelling_id(retellings_[client]);
    Append(touchpoint);
  }
  // All touchpoints in the log that merge clients.
  std::vector<touchpoint::v1::Touchpoint> Merges() {
    std::vector<touchpoint::v1::Touchpoint> merges;
    for (int i = 0; i < kPartitions; ++i) {
      const auto marks = log_->GetWatermarks("touchpoints", Partition(i));
      auto reader = log_->OpenReader("touchpoints", Partition(i), Offset(0));
      while ((*reader)->position() < marks->end) {
        const auto records = (*reader)->Read(100, absl::ZeroDuration());
        for (const RecordView& record : *records) {
          touchpoint::v1::Touchpoint touchpoint;
          touchpoint.ParseFromArray(record.value.data(), static_cast<int>(record.value.size()));
          if (touchpoint.has_clients_merged()) merges.push_back(touchpoint);
        }
      }
    }
    return merges;
  }

  const TempFolder folder_;
  const std::unique_ptr<EventLog> log_;
  StoreResources resources_;
  CacheBudget budget_;
  IdentityRules rules_;
  absl::Duration commit_interval_ = absl::Milliseconds(50);
  int made_ = 0;
  std::map<std::string, std::string> retellings_;  // of each client, the one begun last
};

}  // namespace rapport::testing
