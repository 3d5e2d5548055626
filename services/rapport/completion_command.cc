#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/rapport/command.h"
#include "services/rapport/output.h"

namespace rapport {
namespace {

// The words that may follow `app`: its commands and options.
std::vector<std::string> WordsAfter(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(command->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

// A case for `path`, such as "client show", and for all commands below it.
void AppendCases(const CLI::App& app, const std::string& path, const std::string& common,
                 std::string* script) {
  absl::StrAppend(script, "    \"", path, "\") words=\"", absl::StrJoin(WordsAfter(app), " "),
                  path.empty() ? "" : " " + common, "\" ;;\n");
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    AppendCases(*command, path.empty() ? command->get_name() : path + " " + command->get_name(),
                common, script);
  }
}

std::string BashScript(const CLI::App& app) {
  std::vector<std::string> common;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) common.push_back("--" + name);
  }
  std::string cases;
  AppendCases(app, "", absl::StrJoin(common, " "), &cases);
  return absl::StrCat(R"(_rapport() {
  local current="${COMP_WORDS[COMP_CWORD]}" path= word words=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      [a-z]*) path="${path:+$path }$word" ;;
    esac
  done
  while :; do
    case "$path" in
)",
                      cases, R"(    *" "*) path="${path% *}"; continue ;;
    *) path=; continue ;;
    esac
    break
  done
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; compgen -f -- "$current")
}
complete -o filenames -F _rapport rapport
)");
}

}  // namespace

void AddCompletionCommand(CLI::App& app, int* exit_code) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* const command = AddCommand(
      app, exit_code, "completion", "Print what lets a shell complete commands",
      "rapport completion bash > /etc/bash_completion.d/rapport", [&app, shell]() -> CommandResult {
        if (*shell == "zsh") {
          Print(
              "autoload -U +X compinit && compinit\n"
              "autoload -U +X bashcompinit && bashcompinit\n");
        }
        Print(BashScript(app));
        return kExitOk;
      });
  command->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
}

}  // namespace rapport
