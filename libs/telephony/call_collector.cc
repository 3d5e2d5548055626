#include "libs/telephony/call_collector.h"

#include "libs/base/status.h"

namespace rapport {

CallCollector::CallCollector(AssembleOptions options, Emit emit)
    : options_(std::move(options)), emit_(std::move(emit)) {}

absl::Status CallCollector::Add(source::v1::CallFact fact, int64_t line) {
  ++facts_;
  order_.emplace_back(facts_, fact.call_id());
  Call& call = calls_[fact.call_id()];
  if (call.facts.empty()) call.first_line = line;
  call.last_fact = facts_;
  call.facts.push_back(std::move(fact));
  return GiveOut(kFactsApart);
}

absl::Status CallCollector::GiveOut(int64_t facts_ago) {
  while (!order_.empty() && order_.front().first <= facts_ - facts_ago) {
    const auto [fact, id] = std::move(order_.front());
    order_.pop_front();
    const auto it = calls_.find(id);
    if (it == calls_.end() || it->second.last_fact != fact) continue;
    std::vector<const source::v1::CallFact*> facts;
    for (const source::v1::CallFact& each : it->second.facts) facts.push_back(&each);
    CollectedCall collected{.call_id = id,
                            .assembled = AssembleCall(facts, options_),
                            .facts = static_cast<int64_t>(facts.size()),
                            .line = it->second.first_line,
                            .given_before = !given_.insert(id).second};
    calls_.erase(it);
    RAPPORT_RETURN_IF_ERROR(emit_(std::move(collected)));
  }
  return absl::OkStatus();
}

}  // namespace rapport
