#!/usr/bin/env python3
"""Runs the tools that read sources, each as one test, on several files at once.

Usage: tools.py format ROOT             clang-format would change nothing
       tools.py shell ROOT              shell scripts parse, and shellcheck finds nothing
       tools.py clang-tidy ROOT BUILD   clang-tidy (.clang-tidy) and clang's thread safety analysis
                                        find nothing in the sources that BUILD compiles

clang-tidy is slow, so a source that passed is passed over until it, a header that it includes, its
compile command, the checks or the tool change: ROOT/.build/clang-tidy holds a stamp for each.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
import tidy

CLANG_FORMAT = "clang-format-14"
CLANG_TIDY = "clang-tidy-14"
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


class Stamps:
    """Remembers which sources passed, under a hash of all that the outcome depends on."""

    def __init__(self, root, files, version):
        self.files = files
        self.version = version
        self.folder = Path(root) / ".build" / "clang-tidy"
        self.folder.mkdir(parents=True, exist_ok=True)

    def dependencies(self, path):
        """The source and every file of ours that it includes, directly or not."""
        seen = set()
        left = [path]
        while left:
            path = left.pop()
            if path in seen or path not in self.files:
                continue
            seen.add(path)
            for name in re.findall(r'(?m)^\s*(?:#\s*include|import) "([^"]+)"', self.files[path]):
                left.append("proto/" + re.sub(r"\.pb\.h$", ".proto", name)
                            if name.startswith("rapport/") else name)
        return sorted(seen)

    def stamp(self, path, command):
        digest = hashlib.sha256()
        for part in (self.version, *CLANG_ARGUMENTS, command, self.files.get(".clang-tidy", "")):
            digest.update(part.encode() + b"\0")
        for name in self.dependencies(path):
            digest.update(name.encode() + b"\0" + self.files[name].encode() + b"\0")
        return self.folder / digest.hexdigest()


def check_clang_tidy(root, build):
    root = os.path.realpath(root)
    files = tidy.read_repository(root)
    stamps = Stamps(root, files, run([CLANG_TIDY, "--version"])[1])
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    left = {}
    total = 0
    for entry in entries:
        path = os.path.relpath(os.path.realpath(entry["file"]), root)
        if path not in files:
            continue
        total += 1
        # The compiler's own path is no part of what is compiled; the definitions and options are.
        stamp = stamps.stamp(path, " ".join(shlex.split(entry["command"])[1:]))
        if not stamp.exists():
            left[path] = stamp
    extra = [f"--extra-arg={argument}" for argument in CLANG_ARGUMENTS]

    def check_one(path):
        passed, output = run([CLANG_TIDY, "--quiet", "-p", build, *extra, os.path.join(root, path)])
        if passed:
            left[path].touch()
        else:
            print(output, flush=True)
        return passed

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check_one, sorted(left)))
    print(f"{total} sources, {len(left)} checked, {results.count(False)} with findings")
    return all(results)


CHECKS = {"format": (check_format, 1), "shell": (check_shell, 1),
          "clang-tidy": (check_clang_tidy, 2)}


def main():
    name, arguments = (sys.argv + [""])[1], sys.argv[2:]
    if name not in CHECKS or len(arguments) != CHECKS[name][1]:
        sys.exit(__doc__)
    sys.exit(0 if CHECKS[name][0](*arguments) else 1)


if __name__ == "__main__":
    main()
