#pragma once

#include <string>

#include "google/protobuf/message.h"
#include "libs/event_log/event_log.h"
#include "rapport/alert/v1/alert.pb.h"
#include "rapport/query/v1/alert.pb.h"

// How what stands in the alerts log is shown to readers.

namespace rapport {

query::v1::AlertStep StepOf(const RecordPosition& position, const alert::v1::AlertEvent& event);

// Takes a step over into the alert that it belongs to.
void ApplyStep(const query::v1::AlertStep& step, query::v1::Alert* alert);

// Where an alert stands in its life.
query::v1::AlertStatus StatusOf(const query::v1::Alert& alert);

// One line of JSON as all answers have it.
std::string JsonLine(const google::protobuf::Message& message);

}  // namespace rapport
