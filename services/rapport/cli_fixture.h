#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
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
      if (most_memory_ > 0) {
        const rlimit memory = {.rlim_cur = most_memory_, .rlim_max = most_memory_};
        setrlimit(RLIMIT_AS, &memory);
      }
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
  // Address space of the next commands; 0: as much as the test itself.
  rlim_t most_memory_ = 0;
};

// The same beside a `rapport up`.
class UpFixture : public CliFixture {
 protected:
  ~UpFixture() override {
    if (child_ > 0) kill(child_, SIGKILL);
    End();
  }

  // Waits until it says that it is up; its address.
  std::string Up(std::vector<std::string> options = {}) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    options.insert(options.begin(), {RAPPORT_BINARY, "up", "--listen", "127.0.0.1:0", "--data",
                                     data(), "--set", "clock.interval_ms=200"});
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      if (most_files_ > 0) {
        const rlimit files = {.rlim_cur = most_files_, .rlim_max = most_files_};
        setrlimit(RLIMIT_NOFILE, &files);
      }
      std::vector<char*> argv;
      for (std::string& option : options) argv.push_back(option.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    std::string told;
    char c = 0;
    while (told.find("Ctrl-C ends it.") == std::string::npos && read(ends[0], &c, 1) == 1)
      told += c;
    close(ends[0]);
    const std::string head = "Rapport is up at ";
    EXPECT_EQ(told.rfind(head, 0), 0u) << told;
    return told.substr(head.size(), told.find('\n') - head.size());
  }

  // Its exit code.
  int End() {
    if (child_ <= 0) return -1;
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Stop() {
    kill(child_, SIGTERM);
    return End();
  }

  pid_t child_ = -1;
  // That the next one may have open; 0: as many as the test itself.
  rlim_t most_files_ = 0;
};

}  // namespace rapport::testing
