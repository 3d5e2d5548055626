#include "libs/serving/merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "libs/base/money.h"
#include "libs/base/status.h"
#include "libs/serving/page.h"
#include "rapport/query/v1/agenda.pb.h"
#include "rapport/query/v1/commitment.pb.h"
#include "rapport/query/v1/pipeline.pb.h"
#include "rapport/query/v1/watermark.pb.h"

namespace rapport {
namespace {

namespace pb = google::protobuf;
using Parts = std::vector<std::unique_ptr<pb::Message>>;
using query::v1::Agenda;
using query::v1::AgendaSection;
using query::v1::Board;
using query::v1::BoardColumn;
using query::v1::BoardSum;
using query::v1::CommitmentCounts;
using query::v1::CommitmentList;
using query::v1::Watermark;

const pb::FieldDescriptor* FieldOf(const pb::Descriptor* type, const char* name) {
  return type->FindFieldByName(name);
}

void JoinWatermarks(const Watermark& part, Watermark* merged) {
  merged->MergeFrom(part);
  auto& partitions = *merged->mutable_partitions();
  std::stable_sort(partitions.begin(), partitions.end(),
                   [](const auto& a, const auto& b) { return a.partition() < b.partition(); });
  auto& missing = *merged->mutable_missing_partitions();
  std::sort(missing.begin(), missing.end());
}

// Orders rows by the bytes of their cursors, drops doubles and those behind `end` (empty: none),
// and cuts at `limit`; whether any were left out.
absl::StatusOr<bool> OrderRows(pb::Message* merged, const pb::FieldDescriptor* rows, size_t limit,
                               const std::string& end = "") {
  const pb::Reflection& reflection = *merged->GetReflection();
  const pb::FieldDescriptor* cursor = FieldOf(rows->message_type(), "cursor");
  std::map<std::string, const pb::Message*> by_place;
  for (int i = 0; i < reflection.FieldSize(*merged, rows); ++i) {
    const pb::Message& row = reflection.GetRepeatedMessage(*merged, rows, i);
    RAPPORT_ASSIGN_OR_RETURN(std::string place,
                             DecodeCursor(row.GetReflection()->GetString(row, cursor)));
    by_place.emplace(std::move(place), &row);
  }
  const std::unique_ptr<pb::Message> ordered(merged->New());
  size_t taken = 0;
  for (const auto& [place, row] : by_place) {
    if (taken == limit || (!end.empty() && place > end)) break;
    reflection.AddMessage(ordered.get(), rows)->CopyFrom(*row);
    ++taken;
  }
  reflection.SwapFields(merged, ordered.get(), {rows});
  return taken < by_place.size();
}

void AddCounts(const Parts& parts, pb::Message* merged) {
  const pb::Reflection& reflection = *merged->GetReflection();
  const pb::FieldDescriptor* count = FieldOf(merged->GetDescriptor(), "count");
  const pb::FieldDescriptor* least = FieldOf(merged->GetDescriptor(), "count_is_least");
  if (count == nullptr) return;
  int64_t sum = 0;
  bool is_least = false;
  bool any = false;
  for (const auto& part : parts) {
    any |= reflection.HasField(*part, count);
    sum += reflection.GetInt64(*part, count);
    is_least |= least != nullptr && reflection.GetBool(*part, least);
  }
  if (any) reflection.SetInt64(merged, count, sum);
  if (least != nullptr) reflection.SetBool(merged, least, is_least);
}

absl::Status MergeList(const Parts& parts, const pb::FieldDescriptor* rows, size_t limit,
                       pb::Message* merged) {
  const pb::Reflection& reflection = *merged->GetReflection();
  const pb::FieldDescriptor* next = FieldOf(merged->GetDescriptor(), "next_cursor");
  const pb::FieldDescriptor* more = FieldOf(merged->GetDescriptor(), "more");
  // The first place at which a part goes on.
  std::string end;
  bool any_more = false;
  reflection.ClearField(merged, rows);
  for (const auto& part : parts) {
    if (next != nullptr && !reflection.GetString(*part, next).empty()) {
      RAPPORT_ASSIGN_OR_RETURN(std::string place, DecodeCursor(reflection.GetString(*part, next)));
      if (end.empty() || place < end) end = std::move(place);
    }
    if (more != nullptr) any_more |= reflection.GetBool(*part, more);
    for (int i = 0; i < reflection.FieldSize(*part, rows); ++i) {
      reflection.AddMessage(merged, rows)->CopyFrom(reflection.GetRepeatedMessage(*part, rows, i));
    }
  }
  AddCounts(parts, merged);
  RAPPORT_ASSIGN_OR_RETURN(const bool cut, OrderRows(merged, rows, limit, end));
  if (more != nullptr) reflection.SetBool(merged, more, any_more || cut);
  if (next == nullptr) return absl::OkStatus();
  reflection.ClearField(merged, next);
  const int size = reflection.FieldSize(*merged, rows);
  if (static_cast<size_t>(size) == limit && size > 0 && (cut || !end.empty())) {
    const pb::Message& last = reflection.GetRepeatedMessage(*merged, rows, size - 1);
    const pb::FieldDescriptor* cursor = FieldOf(rows->message_type(), "cursor");
    reflection.SetString(merged, next, last.GetReflection()->GetString(last, cursor));
  } else if (!end.empty()) {
    reflection.SetString(merged, next, EncodeCursor(end));
  }
  return absl::OkStatus();
}

void AddSum(const BoardSum& sum, std::map<std::string, BoardSum>* sums) {
  BoardSum& total = (*sums)[sum.amount().currency_code()];
  MoneySum amount(total.amount().minor_units(), 0);
  amount.Add(sum.amount().minor_units());
  MoneySum weighted(total.weighted().minor_units(), 0);
  weighted.Add(sum.weighted().minor_units());
  const bool out_of_range =
      total.out_of_range() || sum.out_of_range() || amount.OutOfRange() || weighted.OutOfRange();
  total = sum;
  total.mutable_amount()->set_minor_units(amount.Saturated());
  total.mutable_weighted()->set_minor_units(weighted.Saturated());
  total.set_out_of_range(out_of_range);
}

absl::Status MergeBoards(const Parts& parts, size_t limit, Board* merged) {
  std::map<int, BoardColumn> columns;
  std::map<int, std::map<std::string, BoardSum>> sums;
  merged->clear_shared_deals();
  for (const auto& part : parts) {
    merged->mutable_shared_deals()->MergeFrom(static_cast<const Board&>(*part).shared_deals());
    for (const BoardColumn& column : static_cast<const Board&>(*part).columns()) {
      BoardColumn& joined = columns[column.stage()];
      joined.set_stage(column.stage());
      joined.set_deal_count(joined.deal_count() + column.deal_count());
      joined.mutable_deals()->MergeFrom(column.deals());
      for (const BoardSum& sum : column.sums()) AddSum(sum, &sums[column.stage()]);
    }
  }
  merged->clear_columns();
  for (auto& [stage, column] : columns) {
    for (const auto& [currency, sum] : sums[stage]) *column.add_sums() = sum;
    RAPPORT_RETURN_IF_ERROR(
        OrderRows(&column, FieldOf(column.GetDescriptor(), "deals"), limit).status());
    *merged->add_columns() = std::move(column);
  }
  return absl::OkStatus();
}

absl::Status MergeAgendas(const Parts& parts, size_t limit, Agenda* merged) {
  std::map<int, AgendaSection> sections;
  for (const auto& part : parts) {
    for (const AgendaSection& section : static_cast<const Agenda&>(*part).sections()) {
      AgendaSection& joined = sections[section.kind()];
      joined.set_kind(section.kind());
      joined.set_count(joined.count() + section.count());
      joined.set_more(joined.more() || section.more());
      joined.mutable_items()->MergeFrom(section.items());
    }
  }
  merged->clear_sections();
  for (auto& [kind, section] : sections) {
    RAPPORT_RETURN_IF_ERROR(
        OrderRows(&section, FieldOf(section.GetDescriptor(), "items"), limit).status());
    *merged->add_sections() = std::move(section);
  }
  return absl::OkStatus();
}

void AddCommitmentCounts(const CommitmentCounts& part, CommitmentCounts* sum) {
  sum->set_person_id(part.person_id());
  sum->set_open(sum->open() + part.open());
  sum->set_due(sum->due() + part.due());
  sum->set_overdue(sum->overdue() + part.overdue());
  sum->set_kept(sum->kept() + part.kept());
  sum->set_late(sum->late() + part.late());
  sum->set_broken(sum->broken() + part.broken());
  sum->set_moved_with_consent(sum->moved_with_consent() + part.moved_with_consent());
  sum->set_moved_without_consent(sum->moved_without_consent() + part.moved_without_consent());
  sum->set_more(sum->more() || part.more());
}

// What is counted; the rows are merged as those of any list.
void MergeCommitmentCounts(const Parts& parts, CommitmentList* merged) {
  std::map<std::string, CommitmentCounts> groups;
  merged->clear_counts();
  for (const auto& part : parts) {
    const auto& list = static_cast<const CommitmentList&>(*part);
    AddCommitmentCounts(list.counts(), merged->mutable_counts());
    for (const CommitmentCounts& group : list.groups()) {
      AddCommitmentCounts(group, &groups[group.person_id()]);
    }
  }
  merged->clear_groups();
  for (auto& [person, counts] : groups) *merged->add_groups() = std::move(counts);
}

void JoinPartitions(const Parts& parts, const pb::FieldDescriptor* rows, pb::Message* merged) {
  const pb::Reflection& reflection = *merged->GetReflection();
  const pb::FieldDescriptor* partition = FieldOf(rows->message_type(), "partition");
  std::map<int, const pb::Message*> by_partition;
  for (const auto& part : parts) {
    for (int i = 0; i < reflection.FieldSize(*part, rows); ++i) {
      const pb::Message& row = reflection.GetRepeatedMessage(*part, rows, i);
      by_partition.emplace(row.GetReflection()->GetInt32(row, partition), &row);
    }
  }
  reflection.ClearField(merged, rows);
  for (const auto& [number, row] : by_partition) {
    reflection.AddMessage(merged, rows)->CopyFrom(*row);
  }
}

}  // namespace

absl::Status MergeAnswers(const Parts& parts, size_t limit, pb::Message* merged) {
  if (parts.empty()) return absl::InvalidArgumentError("there are no answers to merge");
  const pb::Descriptor* type = merged->GetDescriptor();
  for (const auto& part : parts) {
    if (part->GetDescriptor() != type) {
      return absl::InvalidArgumentError(
          absl::StrCat(part->GetTypeName(), " cannot be merged into ", type->full_name()));
    }
  }
  merged->CopyFrom(*parts.front());
  const pb::Reflection& reflection = *merged->GetReflection();
  const pb::FieldDescriptor* watermark = FieldOf(type, "watermark");
  if (watermark != nullptr) {
    auto* joined = static_cast<Watermark*>(reflection.MutableMessage(merged, watermark));
    joined->Clear();
    for (const auto& part : parts) {
      JoinWatermarks(static_cast<const Watermark&>(reflection.GetMessage(*part, watermark)),
                     joined);
    }
  }
  if (type == Board::descriptor()) {
    return MergeBoards(parts, limit, static_cast<Board*>(merged));
  }
  if (type == Agenda::descriptor()) {
    return MergeAgendas(parts, limit, static_cast<Agenda*>(merged));
  }
  if (type == CommitmentList::descriptor()) {
    MergeCommitmentCounts(parts, static_cast<CommitmentList*>(merged));
  }
  for (int i = 0; i < type->field_count(); ++i) {
    const pb::FieldDescriptor* field = type->field(i);
    if (!field->is_repeated() || field->message_type() == nullptr) continue;
    if (FieldOf(field->message_type(), "cursor") != nullptr) {
      RAPPORT_RETURN_IF_ERROR(MergeList(parts, field, limit, merged));
    } else if (FieldOf(field->message_type(), "partition") != nullptr) {
      JoinPartitions(parts, field, merged);
    }
  }
  return absl::OkStatus();
}

void MarkMissing(const std::vector<Partition>& missing, pb::Message* answer) {
  if (missing.empty()) return;
  const pb::Descriptor* type = answer->GetDescriptor();
  const pb::Reflection& reflection = *answer->GetReflection();
  auto* watermark =
      static_cast<Watermark*>(reflection.MutableMessage(answer, FieldOf(type, "watermark")));
  for (const Partition partition : missing) watermark->add_missing_partitions(partition.value());
  if (type == Agenda::descriptor()) {
    for (AgendaSection& section : *static_cast<Agenda*>(answer)->mutable_sections()) {
      section.set_more(true);
    }
  }
  if (const pb::FieldDescriptor* more = FieldOf(type, "more")) {
    reflection.SetBool(answer, more, true);
  }
  const pb::FieldDescriptor* count = FieldOf(type, "count");
  const pb::FieldDescriptor* least = FieldOf(type, "count_is_least");
  if (least != nullptr && count != nullptr && reflection.HasField(*answer, count)) {
    reflection.SetBool(answer, least, true);
  }
}

}  // namespace rapport
