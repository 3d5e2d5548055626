#pragma once

namespace rapport {

// The .proto files of the configuration, word by word.
extern const char* const kServiceProtoText;
extern const char* const kSettingProtoText;
extern const char* const kSourceProtoText;

}  // namespace rapport
