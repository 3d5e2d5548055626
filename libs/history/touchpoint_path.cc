#include "libs/history/touchpoint_path.h"

namespace rapport {

using touchpoint::v1::Touchpoint;

void MoveUp(const std::vector<std::string>& path, Touchpoint* touchpoint) {
  for (const std::string& client : path) {
    touchpoint->add_former_client_ids(touchpoint->client_id());
    touchpoint->set_client_id(client);
  }
}

bool MoveDown(const std::string& absorbed, const std::string& survivor, Touchpoint* touchpoint) {
  auto* former = touchpoint->mutable_former_client_ids();
  for (int i = 0; i < former->size(); ++i) {
    const std::string& next = i + 1 < former->size() ? former->Get(i + 1) : touchpoint->client_id();
    if (former->Get(i) != absorbed || next != survivor) continue;
    former->DeleteSubrange(i, former->size() - i);
    touchpoint->set_client_id(absorbed);
    return true;
  }
  return false;
}

}  // namespace rapport
