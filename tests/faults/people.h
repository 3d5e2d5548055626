#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/identity/identifier.h"

namespace rapport::testing {

// Somebody who calls and writes. One of five was never registered, and so is a client of its own
// for each number and address.
struct Person {
  static constexpr int kCount = 40;

  explicit Person(int number)
      : registered(number % 5 != 0),
        dialled(absl::StrFormat("0301234%03d", number)),
        phone(absl::StrCat("+49", dialled.substr(1))),
        e_mail(absl::StrCat("p", number, "@client.example")),
        caller(registered
                   ? absl::StrCat("c-", number)
                   : ProvisionalClientId({touchpoint::v1::IDENTIFIER_KIND_PHONE, phone, ""})),
        writer(registered
                   ? absl::StrCat("c-", number)
                   : ProvisionalClientId({touchpoint::v1::IDENTIFIER_KIND_E_MAIL, e_mail, ""})) {}

  bool registered;
  std::string dialled;  // the number as a German telephone system writes it
  std::string phone;    // E.164
  std::string e_mail;
  std::string caller;  // the client who calls
  std::string writer;  // the client who writes
};

}  // namespace rapport::testing
