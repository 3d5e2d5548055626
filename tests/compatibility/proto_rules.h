#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

// The rules of proto/README.md, each a function from a descriptor set (with source info) to what
// breaks it: one line for each breach, beginning with the full name of the declaration; empty when
// all is well.

namespace rapport {

using Breaches = std::vector<std::string>;

// Package rapport.<area>.v<N>, in a file rapport/<area>/v<N>/<name>.proto; proto3.
Breaches CheckPackages(const google::protobuf::FileDescriptorSet& set);
// What is written (touchpoint), sent (alert), stored (state), read (query) and configured (config)
// stay apart: an area imports only itself and those that it may know.
Breaches CheckImports(const google::protobuf::FileDescriptorSet& set);
// First value of an enum is 0 and <ENUM>_UNSPECIFIED; every value begins with <ENUM>_.
Breaches CheckEnums(const google::protobuf::FileDescriptorSet& set);
// Messages, fields, oneofs and enums carry a comment, before or beside them.
Breaches CheckComments(const google::protobuf::FileDescriptorSet& set);
// A moment is a google.protobuf.Timestamp, never a number or a text.
Breaches CheckTimes(const google::protobuf::FileDescriptorSet& set);
// Repeated fields and maps have plural names (maps also <plural>_by_<key>).
Breaches CheckPlurals(const google::protobuf::FileDescriptorSet& set);
// Kinds of touchpoint and steps of an alert are named in the past tense, and their field in the
// oneof is named after the message.
Breaches CheckEvents(const google::protobuf::FileDescriptorSet& set);
// No float and no double in what is written to the logs.
Breaches CheckExactNumbers(const google::protobuf::FileDescriptorSet& set);

}  // namespace rapport
