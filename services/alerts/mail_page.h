#pragma once

#include <string>

#include "libs/phrases/phrases.h"

namespace rapport {

// The page behind the link of a mail, where a person chooses which mails to get, in their language
// and without a script. `told`: what came of a choice; "" before there was one.
std::string MailChoicePage(const Phrases& phrases, const std::string& name,
                           const std::string& choice, const std::string& told);

}  // namespace rapport
