#!/usr/bin/env python3
"""Runs the tools that read sources, each as one test, on several files at once.

Usage: tools.py format ROOT             clang-format would change nothing
       tools.py shell ROOT              shell scripts parse, and shellcheck finds nothing
       tools.py clang-tidy ROOT BUILD   clang-tidy (.clang-tidy) and clang's thread safety analysis
                                        find nothing in the sources that BUILD compiles

clang-tidy is slow, so a source that passed is passed over until it, a header that it includes, its
compile command, the checks or the tool change: ROOT/.build/clang-tidy holds a stamp for each. And
much of the time goes into headers, so sources are read several at once, as one text; where that
finds anything, each half is, until each is checked by itself, and that counts.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
import tidy

CLANG_FORMAT = "clang-format-14"
CLANG_TIDY = "clang-tidy-14"
# Sources that are read at once at most.
GROUP = 24
# g++ has warnings that clang doesn't know, and clang one that g++ doesn't. Without the limit the
# static analyzer makes it all take four times as long.
CLANG_ARGUMENTS = ["-Wno-unknown-warning-option", "-Wthread-safety",
                   "-Xclang", "-analyzer-config", "-Xclang", "max-nodes=10000"]


def run(command):
    """(passed, what it printed)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    return done.returncode == 0, done.stdout


def run_all(commands):
    """Runs each command on as many processors as there are; whether all passed."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, commands))
    for passed, output in results:
        if not passed:
            print(output)
    return all(passed for passed, _ in results)


def check_format(root):
    paths = [path for path in sorted(tidy.read_repository(root))
             if path.endswith((".cc", ".h", ".proto"))]
    os.chdir(root)
    groups = [paths[start:start + 20] for start in range(0, len(paths), 20)]
    return run_all([[CLANG_FORMAT, "--dry-run", "-Werror", *group] for group in groups])


def shell_of(path, text):
    """sh or bash, or None when it is no shell script."""
    if match := re.match(r"#!\s*/(?:usr/)?bin/(?:env )?(sh|bash)\b", text):
        return match[1]
    return "sh" if path.endswith(".sh") else None


def check_shell(root):
    commands = []
    for path, text in sorted(tidy.read_repository(root).items()):
        if shell := shell_of(path, text):
            full = os.path.join(root, path)
            commands += [["bash", "-n", full], ["shellcheck", "--shell", shell, full]]
    return run_all(commands)


def dependencies(path, files):
    """The source and every file of ours that it includes, directly or not."""
    seen = set()
    left = [path]
    while left:
        path = left.pop()
        if path in seen or path not in files:
            continue
        seen.add(path)
        for name in re.findall(r'(?m)^\s*(?:#\s*include|import) "([^"]+)"', files[path]):
            left.append("proto/" + re.sub(r"\.pb\.h$", ".proto", name)
                        if name.startswith("rapport/") else name)
    return sorted(seen)


class Stamps:
    """Remembers which sources passed, under a hash of all that the outcome depends on."""

    def __init__(self, root, files, version):
        self.files = files
        self.version = version
        self.folder = Path(root) / ".build" / "clang-tidy"
        self.folder.mkdir(parents=True, exist_ok=True)

    def stamp(self, path, command):
        digest = hashlib.sha256()
        for part in (self.version, *CLANG_ARGUMENTS, command, self.files.get(".clang-tidy", "")):
            digest.update(part.encode() + b"\0")
        for name in dependencies(path, self.files):
            digest.update(name.encode() + b"\0" + self.files[name].encode() + b"\0")
        return self.folder / digest.hexdigest()


def own_names(path, text):
    """{name: what it stands for} of what a source may define for itself at the top level, and
    another one too. What is only named again, a namespace or a type of another one, stands for the
    same in each source that spells it the same."""
    text = tidy.code_only(text)
    aliases = dict(re.findall(r"(?m)^namespace\s+(\w+)\s*=\s*([\w:]+);", text))
    aliases |= {name: full for full, name in re.findall(r"(?m)^using\s+([\w:]*::(\w+));", text)}
    names = ["_".join(test) for test in re.findall(r"(?m)^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text)]
    names += re.findall(r"(?m)^(?:class|struct|enum|using)\s+(?:class\s+)?(\w+)\b(?!::)", text)
    names += re.findall(r"(?m)^(?!namespace)[A-Za-z_][^=;{}()\n]*?[\s&*](\w+)(?=\s*[({=;\[])", text)
    return {**dict.fromkeys(names, path), **aliases}


def definitions(arguments):
    """{macro: value} of a compile command."""
    return dict(re.fullmatch(r"-D(\w+)=?(.*)", a).groups() for a in arguments if a[:2] == "-D")


def groups_of(sources, files):
    """Sources in groups that can be read as one: in none of them does a name or a macro stand for
    two things. `sources`: {path: arguments of its compile command}."""
    groups = []
    types = {}  # {header: the types that it defines}
    for path, arguments in sorted(sources.items()):
        meanings = {}
        for header in dependencies(path, files):
            if header not in types:
                types[header] = re.findall(r"(?m)^(?:class|struct|enum class) (\w+)[^;:]*\{",
                                           files[header])
            meanings.update(dict.fromkeys(types[header], header))
        meanings.update(own_names(path, files[path]))
        meanings.update(definitions(arguments))
        for group in groups:
            if len(group["paths"]) < GROUP and all(
                    group["meanings"].get(name, meaning) == meaning
                    for name, meaning in meanings.items()):
                break
        else:
            group = {"paths": [], "meanings": {}}
            groups.append(group)
        group["paths"].append(path)
        group["meanings"].update(meanings)
    return [group["paths"] for group in groups]


def arguments_of(entry):
    """Of a compile command, without the source, the outputs and g++'s precompiled header."""
    arguments = shlex.split(entry["command"])
    return [a for a in arguments
            if not re.search(r"\.(cc|cxx|o|d)$|/cmake_pch\.hxx$|"
                             r"^-(c|o|MD|MT|MF|include|Winvalid-pch)$", a)]


def compile_entries(root, build):
    """{source: its compile command}; of sources that are compiled as one (UNITY_BUILD), each."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    entries = {}
    for entry in commands:
        sources = [entry["file"]]
        if re.search(r"/Unity/unity_\d+_cxx\.cxx$", entry["file"]):
            text = Path(entry["file"]).read_text(encoding="utf-8")
            sources = re.findall(r'(?m)^#include "(.+\.cc)"', text)
        for source in sources:
            entries[os.path.relpath(os.path.realpath(source), root)] = entry
    return entries


def join_arguments(commands):
    """One compile command with the options of all: a flag and its folder stay together."""
    options = {}
    for arguments in commands:
        pairs = iter(arguments)
        for option in pairs:
            options[(option, next(pairs)) if option == "-isystem" else (option,)] = None
    return [argument for option in options for argument in option]


def check_clang_tidy(root, build):
    root = os.path.realpath(root)
    files = tidy.read_repository(root)
    stamps = Stamps(root, files, run([CLANG_TIDY, "--version"])[1])
    entries = {path: entry for path, entry in compile_entries(root, build).items() if path in files}
    left = {}
    for path, entry in entries.items():
        # The compiler's own path is no part of what is compiled; the definitions and options are.
        stamp = stamps.stamp(path, " ".join(shlex.split(entry["command"])[1:]))
        if not stamp.exists():
            left[path] = stamp
    extra = [f"--extra-arg={argument}" for argument in CLANG_ARGUMENTS]

    def read_as_one(paths, folder):
        """(passed, what it printed)"""
        one = os.path.join(root, paths[0])
        if len(paths) > 1:
            one = os.path.join(folder, "sources.cc")
            Path(one).write_text("".join(f'#line 1 "{path}"\n{files[path]}' for path in paths),
                                 encoding="utf-8")
        arguments = [*join_arguments(arguments_of(entries[path]) for path in paths), "-c", one]
        Path(folder, "compile_commands.json").write_text(
            json.dumps([{"directory": entries[paths[0]]["directory"], "file": one,
                         "arguments": arguments}]), encoding="utf-8")
        return run([CLANG_TIDY, "--quiet", f"--config-file={root}/.clang-tidy", "-p", folder,
                    *extra, one])

    def check_group(paths):
        """How many have findings."""
        with tempfile.TemporaryDirectory() as folder:
            passed, output = read_as_one(paths, folder)
        if len(paths) == 1 and not passed:
            print(output, flush=True)
        if passed:
            for path in paths:
                left[path].touch()
            return 0
        half = len(paths) // 2
        return check_group(paths[:half]) + check_group(paths[half:]) if half else 1

    groups = groups_of({path: arguments_of(entries[path]) for path in left}, files)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = sum(pool.map(check_group, groups))
    print(f"{len(entries)} sources, {len(left)} checked, {bad} with findings")
    return bad == 0


CHECKS = {"format": (check_format, 1), "shell": (check_shell, 1),
          "clang-tidy": (check_clang_tidy, 2)}


def main():
    name, arguments = (sys.argv + [""])[1], sys.argv[2:]
    if name not in CHECKS or len(arguments) != CHECKS[name][1]:
        sys.exit(__doc__)
    sys.exit(0 if CHECKS[name][0](*arguments) else 1)


if __name__ == "__main__":
    main()
