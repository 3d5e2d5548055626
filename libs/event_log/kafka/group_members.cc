#include "libs/event_log/kafka/group_members.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace rapport::kafka {
namespace {

using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;

const char* OrEmpty(const char* text) { return text == nullptr ? "" : text; }

GroupMember MemberOf(const rd_kafka_MemberDescription_t* described, const std::string& topic) {
  GroupMember member;
  member.member = OrEmpty(rd_kafka_MemberDescription_group_instance_id(described));
  member.address = OrEmpty(rd_kafka_MemberDescription_client_id(described));
  const rd_kafka_MemberAssignment_t* const assignment =
      rd_kafka_MemberDescription_assignment(described);
  const rd_kafka_topic_partition_list_t* const partitions =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    if (partitions->elems[i].topic == topic) {
      member.partitions.emplace_back(partitions->elems[i].partition);
    }
  }
  std::sort(member.partitions.begin(), member.partitions.end());
  return member;
}

}  // namespace

absl::StatusOr<std::vector<GroupMember>> DescribeGroup(rd_kafka_t* handle, const std::string& topic,
                                                       const std::string& group,
                                                       absl::Duration timeout) {
  const std::string context = absl::StrCat("asking for the members of group ", group);
  const AdminOptions options(
      rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
  char text[512];
  const rd_kafka_resp_err_t error = rd_kafka_AdminOptions_set_request_timeout(
      options.get(), ToMillis(timeout), text, sizeof text);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ToStatus(error, context, text);

  const Queue queue(rd_kafka_queue_new(handle));
  const char* names[] = {group.c_str()};
  rd_kafka_DescribeConsumerGroups(handle, names, 1, options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), -1));
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(rd_kafka_event_error(event.get()), context,
                    rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t* const* const groups =
      rd_kafka_DescribeConsumerGroups_result_groups(
          rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count != 1) return absl::UnavailableError(absl::StrCat(context, ": no answer"));
  const rd_kafka_error_t* const failure = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  if (failure != nullptr && rd_kafka_error_code(failure) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(rd_kafka_error_code(failure), context, rd_kafka_error_string(failure));
  }
  std::vector<GroupMember> members;
  const size_t size = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
  for (size_t i = 0; i < size; ++i) {
    members.push_back(MemberOf(rd_kafka_ConsumerGroupDescription_member(groups[0], i), topic));
  }
  std::sort(members.begin(), members.end(),
            [](const GroupMember& a, const GroupMember& b) { return a.member < b.member; });
  return members;
}

}  // namespace rapport::kafka
