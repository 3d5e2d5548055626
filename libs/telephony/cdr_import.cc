#include "libs/telephony/cdr_import.h"

#include "libs/base/status.h"

namespace rapport {

CdrImport::CdrImport(CallSource source, const CdrLayout& layout, AssembleOptions options, Emit emit)
    : options_(std::move(options)), emit_(std::move(emit)), parser_(std::move(source), layout) {}

absl::Status CdrImport::Add(absl::string_view row) {
  RAPPORT_ASSIGN_OR_RETURN(source::v1::SourceRecord record, parser_.Parse(row, {}));
  ++rows_;
  const std::string& id = record.call_fact().call_id();
  Call& call = calls_[id];
  call.last_row = rows_;
  order_.emplace_back(rows_, id);
  call.facts.push_back(std::move(*record.mutable_call_fact()));
  return GiveOut(kRowsApart);
}

absl::Status CdrImport::GiveOut(int64_t rows_ago) {
  while (!order_.empty() && order_.front().first <= rows_ - rows_ago) {
    const auto [row, id] = std::move(order_.front());
    order_.pop_front();
    const auto it = calls_.find(id);
    if (it == calls_.end() || it->second.last_row != row) continue;
    std::vector<const source::v1::CallFact*> facts;
    for (const source::v1::CallFact& fact : it->second.facts) facts.push_back(&fact);
    AssembledCall assembled = AssembleCall(facts, options_);
    calls_.erase(it);
    RAPPORT_RETURN_IF_ERROR(emit_(id, std::move(assembled)));
  }
  return absl::OkStatus();
}

}  // namespace rapport
