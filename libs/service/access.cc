#include "libs/service/access.h"

namespace rapport {

const std::shared_ptr<const Caller>& Anybody() {
  static const auto* anybody = new std::shared_ptr<const Caller>([] {
    auto caller = std::make_shared<Caller>();
    caller->permissions = ~uint32_t{0};
    caller->permissions_for_all = ~uint32_t{0};
    caller->sees_all = true;
    return caller;
  }());
  return *anybody;
}

const Caller& CallerOf(const HttpRequest& request) {
  return request.caller == nullptr ? *Anybody() : *request.caller;
}

}  // namespace rapport
