#pragma once

// The part of the contract that is about groups; contract_test.h includes it.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/event_log/contract_fixture.h"
#include "libs/event_log/event_log.h"
#include "libs/event_log/read_range.h"

namespace rapport {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_P(EventLogContractTest, ASubscriptionStartsWhereItsListenerSays) {
  CreateTopic(2);
  std::vector<Record> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(RecordOf("", absl::StrCat("a", i), Partition(0)));
    records.push_back(RecordOf("", absl::StrCat("b", i), Partition(1)));
    records.back().headers = {{"n", absl::StrCat(i)}};
  }
  ASSERT_OK(log().Append(topic_, records));
  const std::string group = UniqueName("group");
  for (int round = 0; round < 2; ++round) {
    RecordingListener listener;
    listener.starts = {{Partition(0), Offset(3)}, {Partition(1), Offset(4)}};
    const auto subscription = Subscribe(group, "member", &listener);
    ASSERT_NE(subscription, nullptr);
    std::map<Partition, std::vector<OwnedRecord>> read;
    PollUntil(
        {subscription.get()},
        [&] { return read[Partition(0)].size() + read[Partition(1)].size() == 3; }, &read);
    EXPECT_THAT(Values(read[Partition(0)]), ElementsAre("a3", "a4"));
    EXPECT_THAT(Values(read[Partition(1)]), ElementsAre("b4"));
    ASSERT_EQ(read[Partition(1)].size(), 1u);
    EXPECT_THAT(read[Partition(1)][0].headers, ElementsAre(Header{"n", "4"}));
    // A reported position is for dashboards: the next round starts where the listener says again.
    subscription->ReportPosition(Partition(0), Offset(5));
    subscription->ReportPosition(Partition(1), Offset(5));
    ASSERT_OK(subscription->Close());
    EXPECT_THAT(listener.revoked, UnorderedElementsAre(Partition(0), Partition(1)));
    EXPECT_THAT(listener.lost_partitions, IsEmpty());
  }
}

TEST_P(EventLogContractTest, ASubscriptionFollowsTheAppends) {
  CreateTopic(3);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  std::map<Partition, std::vector<OwnedRecord>> read;
  size_t appended = 0;
  const auto count = [&] {
    size_t sum = 0;
    for (const auto& [partition, records] : read) sum += records.size();
    return sum;
  };
  for (int round = 0; round < 5; ++round) {
    std::vector<Record> records;
    for (int i = 0; i < 30; ++i) {
      records.push_back(RecordOf("", absl::StrCat(round * 10 + i / 3), Partition(i % 3)));
    }
    ASSERT_OK(log().Append(topic_, records));
    appended += records.size();
    PollUntil(
        {subscription.get()}, [&] { return count() == appended; }, &read);
  }
  for (const auto& [partition, records] : read) {
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(records[i].value, absl::StrCat(i));
      EXPECT_EQ(records[i].offset, Offset(static_cast<int64_t>(i)));
    }
  }
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, AGroupTellsItsMembersWithTheirAddresses) {
  CreateTopic(2);
  const std::string group = UniqueName("group");
  ASSERT_OK_AND_ASSIGN(const std::vector<GroupMember> nobody, log().GroupMembers(topic_, group));
  EXPECT_THAT(nobody, IsEmpty());
  RecordingListener one_listener, two_listener;
  const auto one = Subscribe(group, "one", &one_listener, "http://127.0.0.1:1");
  const auto two = Subscribe(group, "two", &two_listener, "http://127.0.0.1:2");
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  const auto settled = [&] {
    return one_listener.owned.size() == 1 && two_listener.owned.size() == 1;
  };
  std::map<Partition, std::vector<OwnedRecord>> read;
  PollUntil({one.get(), two.get()}, settled, &read);
  ASSERT_OK_AND_ASSIGN(const std::vector<GroupMember> members, log().GroupMembers(topic_, group));
  const GroupMember first{"one", "http://127.0.0.1:1", {*one_listener.owned.begin()}};
  const GroupMember second{"two", "http://127.0.0.1:2", {*two_listener.owned.begin()}};
  EXPECT_THAT(members, ElementsAre(first, second));
}

TEST_P(EventLogContractTest, GroupsDoNotShare) {
  CreateTopic(1);
  const Record record = RecordOf("k", "v");
  ASSERT_OK(log().Append(topic_, {&record, 1}));
  RecordingListener listeners[2];
  for (RecordingListener& listener : listeners) {
    const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
    ASSERT_NE(subscription, nullptr);
    std::map<Partition, std::vector<OwnedRecord>> read;
    PollUntil(
        {subscription.get()}, [&] { return read[Partition(0)].size() == 1; }, &read);
    ASSERT_OK(subscription->Close());
  }
}

TEST_P(EventLogContractTest, MembersShareThePartitionsAndTakeOver) {
  CreateTopic(4);
  const std::string group = UniqueName("group");
  RecordingListener first, second;
  const auto one = Subscribe(group, "one", &first);
  ASSERT_NE(one, nullptr);
  PollUntil({one.get()}, [&] { return first.owned.size() == 4; });

  const auto two = Subscribe(group, "two", &second);
  ASSERT_NE(two, nullptr);
  PollUntil({one.get(), two.get()}, [&] {
    for (const Partition partition : second.owned) EXPECT_FALSE(first.owned.contains(partition));
    return first.owned.size() == 2 && second.owned.size() == 2;
  });
  // Only what moved was revoked.
  EXPECT_EQ(first.revoked.size(), 2u);
  EXPECT_EQ(first.assigned.size(), 4u);
  EXPECT_THAT(second.revoked, IsEmpty());

  std::vector<Record> records;
  for (int i = 0; i < 4; ++i) records.push_back(RecordOf("", "v", Partition(i)));
  ASSERT_OK(log().Append(topic_, records));
  std::map<Partition, std::vector<OwnedRecord>> read_by_one, read_by_two;
  PollUntil(
      {one.get()}, [&] { return read_by_one.size() == 2; }, &read_by_one);
  PollUntil(
      {two.get()}, [&] { return read_by_two.size() == 2; }, &read_by_two);
  for (const auto& [partition, owned] : read_by_one) EXPECT_FALSE(read_by_two.contains(partition));

  ASSERT_OK(one->Close());
  EXPECT_THAT(first.owned, IsEmpty());
  PollUntil({two.get()}, [&] { return second.owned.size() == 4; });
  EXPECT_THAT(second.revoked, IsEmpty());
  ASSERT_OK(two->Close());
}

TEST_P(EventLogContractTest, AMemberThatLeftMayComeBack) {
  CreateTopic(4);
  const std::string group = UniqueName("group");
  RecordingListener first, second;
  auto one = Subscribe(group, "one", &first);
  const auto two = Subscribe(group, "two", &second);
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  PollUntil({one.get(), two.get()},
            [&] { return first.owned.size() == 2 && second.owned.size() == 2; });
  ASSERT_OK(one->Close());
  EXPECT_EQ(first.revoked.size() + first.lost_partitions.size(), first.assigned.size());
  one.reset();
  PollUntil({two.get()}, [&] { return second.owned.size() == 4; });
  RecordingListener restarted;
  one = Subscribe(group, "one", &restarted);
  ASSERT_NE(one, nullptr);
  PollUntil({one.get(), two.get()},
            [&] { return restarted.owned.size() == 2 && second.owned.size() == 2; });
  for (const Partition partition : restarted.owned) EXPECT_FALSE(second.owned.contains(partition));
  ASSERT_OK(one->Close());
  ASSERT_OK(two->Close());
}

TEST_P(EventLogContractTest, APausedPartitionWaitsForItsResume) {
  CreateTopic(2);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  PollUntil({subscription.get()}, [&] { return listener.owned.size() == 2; });
  ASSERT_OK(subscription->Pause(Partition(0)));

  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(RecordOf("", absl::StrCat(i), Partition(i % 2)));
  }
  ASSERT_OK(log().Append(topic_, records));
  std::map<Partition, std::vector<OwnedRecord>> read;
  PollUntil(
      {subscription.get()}, [&] { return read[Partition(1)].size() == 5; }, &read);
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto none, subscription->Poll(100, absl::Milliseconds(20)));
    EXPECT_THAT(none.records, IsEmpty());
  }
  EXPECT_THAT(read[Partition(0)], IsEmpty());
  EXPECT_EQ(listener.owned.size(), 2u);

  ASSERT_OK(subscription->Resume(Partition(0)));
  PollUntil(
      {subscription.get()}, [&] { return read[Partition(0)].size() == 5; }, &read);
  EXPECT_THAT(Values(read[Partition(0)]), ElementsAre("0", "2", "4", "6", "8"));
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, APartitionThatIsNotOwnedCannotBePaused) {
  CreateTopic(1);
  RecordingListener listener;
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  PollUntil({subscription.get()}, [&] { return listener.owned.size() == 1; });
  const auto not_owned = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("partition 5"));
  EXPECT_THAT(subscription->Pause(Partition(5)), not_owned);
  EXPECT_THAT(subscription->Resume(Partition(5)), not_owned);
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, AfterAListenersErrorItIsAskedAgain) {
  CreateTopic(2);
  const std::vector<Record> records = {RecordOf("", "zero", Partition(0)),
                                       RecordOf("", "one", Partition(1))};
  ASSERT_OK(log().Append(topic_, records));
  RecordingListener listener;
  listener.errors[Partition(0)] = absl::FailedPreconditionError("the state is damaged");
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  const auto damaged =
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("the state is damaged"));
  int told = 0;
  std::vector<std::string> values;
  const auto poll = [&] {
    const auto batch = subscription->Poll(10, absl::Milliseconds(100));
    if (!batch.ok()) {
      EXPECT_THAT(batch, damaged);
      ++told;
      return;
    }
    for (const RecordView& view : batch->records) values.push_back(std::string(view.value));
  };
  while (TimeLeft() && !(told >= 2 && !values.empty())) poll();
  EXPECT_GE(told, 2);
  // The other partition is read, and that one of them is not stays known.
  EXPECT_THAT(values, ElementsAre("one"));
  EXPECT_THAT(subscription->Trouble(), damaged);

  listener.errors.clear();
  while (TimeLeft() && values.size() < 2) poll();
  EXPECT_THAT(values, ElementsAre("one", "zero"));
  EXPECT_OK(subscription->Trouble());
  ASSERT_OK(subscription->Close());
}

TEST_P(EventLogContractTest, ARangeIsReadToItsEndAndNoFurther) {
  CreateTopic(1);
  std::vector<Record> records;
  for (int i = 0; i < 10; ++i) records.push_back(RecordOf("", absl::StrCat(i), Partition(0)));
  ASSERT_OK(log().Append(topic_, records));
  std::vector<std::string> values;
  const auto take = [&](const HeaderDecoder&, absl::Span<const RecordView> views) {
    for (const RecordView& view : views) values.push_back(std::string(view.value));
    return absl::OkStatus();
  };
  ASSERT_OK(ReadRange(log(), topic_, Partition(0), Offset(3), Offset(6), take));
  EXPECT_THAT(values, ElementsAre("3", "4", "5"));
  values.clear();
  ASSERT_OK(ReadToEnd(log(), topic_, Partition(0), Offset(8), take));
  EXPECT_THAT(values, ElementsAre("8", "9"));
  values.clear();
  ASSERT_OK(ReadToEnd(log(), topic_, Partition(0), Offset(10), take));
  EXPECT_THAT(values, IsEmpty());
  EXPECT_THAT(ReadToEnd(log(), topic_, Partition(0), Offset(0),
                        [](const auto&, auto) { return absl::CancelledError("enough"); }),
              StatusIs(absl::StatusCode::kCancelled, "enough"));
}

TEST_P(EventLogContractTest, ASubscriptionPastTheEndIsAnError) {
  CreateTopic(1);
  RecordingListener listener;
  listener.starts[Partition(0)] = Offset(7);
  const auto subscription = Subscribe(UniqueName("group"), "member", &listener);
  ASSERT_NE(subscription, nullptr);
  absl::Status status;
  while (status.ok() && TimeLeft()) {
    status = subscription->Poll(10, absl::Milliseconds(100)).status();
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("7")));
  EXPECT_EQ(subscription->Trouble(), status);
  ASSERT_OK(subscription->Close());
}

}  // namespace rapport
