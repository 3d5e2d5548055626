#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/telephony/call_record.h"
#include "libs/telephony/leg_view.h"
#include "rapport/source/v1/source_record.pb.h"

namespace rapport {

// The columns of a row after the 16 that every file has, as cdr.conf of Asterisk chooses them.
struct CdrLayout {
  bool unique_id = false;   // uniqueid
  bool user_field = false;  // userfield
  bool linkage = false;     // peeraccount, linkedid and sequence

  // Of AsteriskCdr.further_columns, such as "uniqueid,userfield,linkage".
  static absl::StatusOr<CdrLayout> Parse(absl::string_view further_columns);
  size_t columns() const { return 16 + unique_id + user_field + 3 * linkage; }
};

// The fields of one leg as Asterisk names them, from whatever form they came in.
struct CdrFields {
  absl::string_view source, destination, context, caller_id, channel, destination_channel;
  absl::string_view application, application_data, start, answer, end, duration, billed_seconds;
  absl::string_view disposition, unique_id, user_field, linked_id, sequence;
};

// The record of one leg. Its id is made of uniqueid, linkedid and sequence, or of all fields when
// one of them is missing, so that the same leg from a file and from the manager interface has the
// same. The call is the linkedid, or else the uniqueid, or else the leg alone.
//
// Times are local. An hour that comes twice when clocks go back is told by the uniqueid, which
// begins with the time in UTC at which the channel came to be: the earlier of the two that is not
// before that. Without one, the duration decides between start and end, and then the earlier holds.
absl::StatusOr<source::v1::SourceRecord> CdrRecord(const CdrFields& fields,
                                                   const CallSource& source,
                                                   absl::Time received_at);

// A leg of a call that the row itself tells the id of.
struct CdrLeg {
  absl::string_view call_id;
  LegView leg;
};

// Reads rows of Asterisk's Master.csv. One thread at a time.
class CdrParser {
 public:
  CdrParser(CallSource source, const CdrLayout& layout);

  // The record of a row, given without its line break. InvalidArgument: what is wrong with it.
  absl::StatusOr<source::v1::SourceRecord> Parse(absl::string_view row, absl::Time received_at);
  // What of it a call is put together from, at a part of the cost; the same call id and leg, and
  // the same errors. The views live until the next call, and while `row` does.
  absl::StatusOr<CdrLeg> ParseLeg(absl::string_view row);

 private:
  absl::StatusOr<CdrFields> Split(absl::string_view row);

  const CallSource source_;
  const CdrLayout layout_;
  std::vector<absl::string_view> fields_;
  // Fields in which quotes were doubled.
  std::vector<std::string> unquoted_;
  // What views are of where the row's own bytes don't do.
  source::v1::SourceRecord record_;
};

}  // namespace rapport
