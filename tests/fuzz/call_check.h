#pragma once

// What holds for every record that a parser of calls makes, whatever it was given.

#include <string>
#include <vector>

#include "libs/base/check.h"
#include "libs/telephony/call_assembler.h"
#include "libs/telephony/call_record.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport::fuzz {

inline CallSource FuzzSource() { return {.source = "fuzz", .system = "fuzz"}; }

// Ids are there and not too long, a reader can read it, and a call can be made of the facts.
inline void CheckCallRecords(const std::vector<source::v1::SourceRecord>& records) {
  std::vector<const source::v1::CallFact*> facts;
  for (const source::v1::SourceRecord& record : records) {
    RAPPORT_CHECK(!record.record_id().empty() && record.record_id().size() <= 256, "record_id");
    source::v1::SourceRecord read;
    RAPPORT_CHECK(read.ParseFromString(record.SerializeAsString()), "a record can be read");
    RAPPORT_CHECK(record.has_call_fact() || record.has_item(), "content");
    if (!record.has_call_fact()) continue;
    RAPPORT_CHECK(!record.call_fact().call_id().empty(), "call_id");
    RAPPORT_CHECK(record.call_fact().call_id().size() <= 256, "call_id");
    facts.push_back(&record.call_fact());
  }
  if (facts.empty()) return;
  const AssembledCall call =
      AssembleCall(facts, {.is_ours = [](absl::string_view number) { return number.size() < 4; }});
  RAPPORT_CHECK(call.call.wait_seconds() >= 0 && call.call.talk_seconds() >= 0, "seconds");
  RAPPORT_CHECK(call.call.transfer_count() >= 0, "transfers");
  RAPPORT_CHECK(call.call.outcome() != touchpoint::v1::CALL_OUTCOME_UNSPECIFIED, "outcome");
  RAPPORT_CHECK(call.complete == call.missing.empty(), "what is missing");
}

}  // namespace rapport::fuzz
