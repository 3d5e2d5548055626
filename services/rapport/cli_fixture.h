#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/import/test_folder.h"
#include "nlohmann/json.hpp"

// The command line as a process, on a data folder of its own.

namespace rapport::testing {

using nlohmann::json;

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

inline std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class CliFixture : public ::testing::Test {
 protected:
  Outcome Run(std::vector<std::string> arguments) {
    const std::string out = folder_.path() + "/out";
    const std::string err = folder_.path() + "/err";
    arguments.insert(arguments.begin(), RAPPORT_BINARY);
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      setenv("RAPPORT_DATA", data().c_str(), 1);
      setenv("TZ", "UTC", 1);
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadFile(out), ReadFile(err)};
  }

  json RunJson(std::vector<std::string> arguments, int exit_code = 0) {
    arguments.push_back("--json");
    const Outcome outcome = Run(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    return json::parse(outcome.out, nullptr, /*allow_exceptions=*/false);
  }

  std::string data() const { return folder_.path() + "/data"; }

  TestFolder folder_;
};

}  // namespace rapport::testing
