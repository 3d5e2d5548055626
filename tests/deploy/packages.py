#!/usr/bin/env python3
"""Whatever was used to build and test belongs to a package that deploy/install.sh brings.

Usage: packages.py ROOT BUILD

What is installed by chance on this machine counts for nothing: a file belongs to the packages
that install.sh names, to those that these depend on (not: recommend), or to the base of Debian 12.
Held so: each header that BUILD's compilers read, each library that its linkers took, each program
that scripts, CMake files and tests call. For `rapport` alone, as deploy/demo.sh builds it, without
--tests.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tidy"))
import tidy

INFO = Path("/var/lib/dpkg/info")
# Words at the place of a command that are none: the shell's own, and functions of our scripts.
SHELL = set(subprocess.run(["bash", "-c", "compgen -bk"], capture_output=True, text=True,
                           check=True).stdout.split())


def dpkg(fields):
    """{package: its fields} of all that are installed."""
    form = "\x1f".join("${%s}" % field for field in ("Package", *fields)) + "\x1e"
    out = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True,
                         check=True)
    rows = (row.split("\x1f") for row in out.stdout.split("\x1e") if row)
    return {name: dict(zip(fields, values)) for name, *values in rows}


def closure(wanted, packages):
    """What `apt-get install --no-install-recommends` of these brings to a bare machine: of
    alternatives the first, of a virtual package one that provides it and is installed."""
    providers = {}
    for name, fields in packages.items():
        for provided in re.findall(r"(?:^|,)\s*([^\s,(]+)", fields["Provides"]):
            providers.setdefault(provided, []).append(name)
    found = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in packages:
            left += [one for one in providers.get(name, ())[:1] if one not in found]
        elif name not in found:
            found.add(name)
            needs = packages[name]["Depends"] + "," + packages[name]["Pre-Depends"]
            left += [re.match(r"[^\s:(|]+", need.strip())[0]
                     for need in needs.split(",") if need.strip()]
    return found


def files_of(names):
    """Every file of these packages, by its real path."""
    files = set()
    for listing in INFO.glob("*.list"):
        if listing.stem.split(":")[0] in names:
            files.update(os.path.realpath(line) for line in listing.read_text().splitlines())
    return files


def install_lists(root):
    """(packages to build with, those and what tests need) of deploy/install.sh."""
    text = (root / "deploy/install.sh").read_text()
    lists = {name: re.search(rf"(?m)^{name}_packages='([^']*)'", text)[1].split()
             for name in ("build", "test")}
    return lists["build"], lists["build"] + lists["test"]


def ninja(build, *arguments):
    return subprocess.run(["ninja", "-C", str(build), *arguments], capture_output=True, text=True,
                          check=True).stdout


def headers_and_libraries(build, commands):
    """Files outside of ROOT that these commands read: headers as the compiler noted them, and what
    stands on the lines of the linker. {path: an output that needs it}"""
    outputs = set(re.findall(r" -o (\S+)", commands))
    used = {}
    output = ""
    for line in ninja(build, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            output = line.split(":")[0]
        elif output in outputs and line.strip().startswith("/"):
            used.setdefault(line.strip(), output)
    for line in commands.splitlines():
        if " -c " not in line and (linked := re.search(r" -o (\S+)", line)):
            for library in re.findall(r"\s(/\S+\.(?:so|a)[\w.]*)", line):
                used.setdefault(library, linked[1])
    return used


def called(root):
    """{program: a file that calls it} of our scripts, and of what tests and CMake files name."""
    programs = {}
    for path, text in sorted(tidy.read_repository(root).items()):
        if re.match(r"#!.*\b(ba)?sh\b", text):
            names = shell_commands(text)
        elif re.match(r"#!.*\bpython3\b", text):
            names = {"python3"} | set(re.findall(r'\brun\("[^"]*", "([a-z][\w-]*)"', text))
            names |= set(re.findall(r'(?m)^[A-Z_]+ = "(clang-[\w-]+|shellcheck)"', text))
        elif path.endswith("CMakeLists.txt"):
            names = set(re.findall(r"find_program\(\w+ ([\w.-]+)\)", text))
            names |= set(re.findall(r"COMMAND ([a-z][\w-]*3?) ", text)) & {"python3", "bash", "sh"}
        elif path.endswith((".cc", ".h")):
            names = set(re.findall(r'"(/usr/s?bin/[\w.-]+)"', text))
            names |= set(re.findall(r'"(java|openssl|python3|mvn|chromium)[ "]', text))
        else:
            continue
        for name in names:
            programs.setdefault(name, path)
    return programs


def shell_commands(text):
    """The names at the places of commands, the shell's own and our functions left out."""
    names = set(re.findall(r"(?m)^\s*(\w+)\(\)", text))
    functions = SHELL | names
    found = set()
    _read_commands(re.sub(r"<<-?\s*'?(\w+)'?.*?^\s*\1$", "", text, flags=re.S | re.M), 0, "", found)
    return {name for name in found - functions if re.fullmatch(r"[a-z][\w.+-]*", name)}


def _read_commands(text, at, end, found):
    """Reads commands from `at` on up to `end`, and returns the place behind it."""
    word, first = "", True  # Of the word under way; whether it stands where a command does.
    cases = []  # Of each `case` around: whether a pattern comes next.
    while at <= len(text):
        char = text[at] if at < len(text) else "\n"
        if char == "\\":
            at, word = at + 2, word + ("" if text[at + 1:at + 2] == "\n" else "\\")
        elif char == "'":
            at, word = text.index("'", at + 1) + 1, word + "\\"
        elif char == '"':
            at, word = _read_quoted(text, at + 1, found), word + "\\"
        elif text.startswith("$((", at):
            at, word = text.index("))", at) + 2, word + "\\"
        elif text.startswith("$(", at):
            at, word = _read_commands(text, at + 2, ")", found), word + "\\"
        elif text.startswith("${", at):
            at, word = text.index("}", at) + 1, word + "\\"
        elif char == "(" and word.endswith("="):
            at, word = text.index(")", at) + 1, word + "\\"  # An array.
        elif text.startswith("((", at) and not word:
            at, first = text.index("))", at) + 2, False
        elif text.startswith("[[", at) and not word:
            at, first = text.index("]]", at) + 2, False
        elif char == "#" and not word:
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif char in " \t\n;&|()<>":
            if word and first and not (cases and cases[-1]):
                if word == "case":
                    cases.append(True)
                if word == "esac" and cases:
                    cases.pop()
                keyword = word in {"if", "then", "else", "elif", "do", "while", "until", "!", "{",
                                   "exec", "sudo", "env", "time", "nice"}
                if not keyword and not re.match(r"\w+\+?=", word):
                    found.add(word)
                    first = False
            word = ""
            if char == ")" and cases and cases[-1]:
                cases[-1], first = False, True
            elif char == end:
                return at + 1
            elif char in "\n;&|(":
                if cases and text.startswith(";;", at):
                    cases[-1] = True
                    at += 1
                if cases and cases[-1] and re.match(r"[\s;]*esac\b", text[at:]):
                    cases[-1] = False
                first = text[at - 1:at + 1] not in (">&", "<&")
            at += 1
        else:
            word += char
            at += 1
    return at


def _read_quoted(text, at, found):
    """Reads up to the closing quotes, and the commands in between; returns the place behind."""
    while text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text.startswith("$(", at) and not text.startswith("$((", at):
            at = _read_commands(text, at + 2, ")", found)
        else:
            at += 1
    return at + 1


def find_program(name, files):
    """Whether one of these packages has the program, through Debian's alternatives too."""
    if name.startswith("/"):
        return os.path.realpath(name) in files
    for folder in ("/usr/bin", "/usr/sbin"):
        path = f"{folder}/{name}"
        if path in files or os.path.realpath(path) in files:
            return True
    return False


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root, build = Path(sys.argv[1]), Path(sys.argv[2])
    packages = dpkg(("Depends", "Pre-Depends", "Provides", "Essential", "Priority"))
    # What debootstrap puts there.
    base = [name for name, fields in packages.items()
            if fields["Essential"] == "yes" or fields["Priority"] == "required"] + ["apt"]
    bad = []
    to_build, to_test = install_lists(root)
    for what, wanted, target in (("deploy/install.sh", to_build, "rapport"),
                                 ("deploy/install.sh --tests", to_test, "all")):
        files = files_of(closure(base + wanted, packages))
        used = headers_and_libraries(build, ninja(build, "-t", "commands", target))
        if not used:
            sys.exit(f"{build} has no record of what its compilers read: build it with Ninja first")
        ours = (str(root.resolve()) + "/", str(build.resolve()) + "/")
        for path, output in sorted(used.items()):
            if not path.startswith(ours) and os.path.realpath(path) not in files:
                owner = subprocess.run(["dpkg", "-S", os.path.realpath(path)], capture_output=True,
                                       text=True, check=False).stdout.split(":")[0]
                bad.append(f"{output} uses {path} of {owner or 'no package'}, which {what} does "
                           "not bring")
    programs = called(root)
    if "cmake" not in programs or "dirname" not in programs:
        sys.exit(f"no programs found in the scripts: {sorted(programs)}")
    for name, path in sorted(programs.items()):
        if not find_program(name, files):
            bad.append(f"{path} calls {name}, which no package of deploy/install.sh --tests has")
    for line in bad:
        print(line)
    print(f"{len(used)} headers and libraries, {len(programs)} programs, {len(bad)} without a "
          "package")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
