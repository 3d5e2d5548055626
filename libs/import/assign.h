#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "libs/import/decimal.h"
#include "libs/import/evaluate.h"
#include "libs/import/mapping.h"

namespace rapport {

// Sets the field of `root` to the value made of the group. Errors begin with the field's path.
absl::Status Assign(const AssignmentPlan& assignment, Decimal::Marks marks, RowGroup* group,
                    google::protobuf::Message* root);

// Adds an element to the repeated field for each row of the group.
absl::Status AddRowList(const RowListPlan& list, Decimal::Marks marks, RowGroup* group,
                        google::protobuf::Message* root);

}  // namespace rapport
