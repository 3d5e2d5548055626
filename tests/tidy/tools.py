#!/usr/bin/env python3
"""Runs the tools that read sources, each as one test, on several files at once.

Usage: tools.py format ROOT             clang-format would change nothing
       tools.py shell ROOT              shell scripts parse, and shellcheck finds nothing
       tools.py clang-tidy ROOT BUILD   clang-tidy (.clang-tidy) and clang's thread safety analysis
                                        find nothing in the sources that BUILD compiles

clang-tidy is slow, so a source that passed is passed over until it, a header that it includes, its
compile command, the checks or the tool change: ROOT/.build/clang-tidy holds a stamp for each. And
most of the time goes into headers, so sources are read several at once, as one text; where that
finds anything, each is checked by itself, and that counts.
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
# Sources that are read at once.
GROUP = 6
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


def own_names(text):
    """What a source may define for itself at the top level, and another one too."""
    text = tidy.code_only(text)
    names = re.findall(r"(?m)^(?:class|struct|enum|using|namespace)\s+(?:class\s+)?(\w+)", text)
    names += re.findall(r"(?m)^[A-Za-z_][^=;{}()\n]*?[\s&*](\w+)(?=\s*[({=;\[])", text)
    return set(names) - {"rapport", "testing"}


def groups_of(sources, files):
    """Sources of one command and folder in groups, none with a name that another of it has.
    `sources`: {path: command without its paths}."""
    groups = []
    for path, command in sorted(sources.items()):
        names = own_names(files[path])
        key = (os.path.dirname(path), command)
        for group in groups:
            if group["key"] == key and len(group["paths"]) < GROUP and not group["names"] & names:
                break
        else:
            group = {"key": key, "paths": [], "names": set()}
            groups.append(group)
        group["paths"].append(path)
        group["names"] |= names
    return [group["paths"] for group in groups]


def without_paths(entry):
    """The compiler's options; its own path, the source and the outputs are no part of them."""
    arguments = shlex.split(entry["command"])[1:]
    return " ".join(a for a in arguments if not re.search(r"\.(cc|o|d)$|/c\+\+$", a))


def check_clang_tidy(root, build):
    root = os.path.realpath(root)
    files = tidy.read_repository(root)
    stamps = Stamps(root, files, run([CLANG_TIDY, "--version"])[1])
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {os.path.relpath(os.path.realpath(entry["file"]), root): entry
                   for entry in json.load(file)}
    entries = {path: entry for path, entry in entries.items() if path in files}
    left = {}
    for path, entry in entries.items():
        # The compiler's own path is no part of what is compiled; the definitions and options are.
        stamp = stamps.stamp(path, " ".join(shlex.split(entry["command"])[1:]))
        if not stamp.exists():
            left[path] = stamp
    extra = [f"--extra-arg={argument}" for argument in CLANG_ARGUMENTS]

    def passes_as_one(paths, folder):
        one = os.path.join(folder, "sources.cc")
        Path(one).write_text("".join(f'#line 1 "{path}"\n{files[path]}' for path in paths),
                             encoding="utf-8")
        entry = entries[paths[0]]
        command = entry["command"].replace(entry["file"], one)
        Path(folder, "compile_commands.json").write_text(
            json.dumps([{**entry, "file": one, "command": command}]), encoding="utf-8")
        return run([CLANG_TIDY, "--quiet", f"--config-file={root}/.clang-tidy", "-p", folder,
                    *extra, one])[0]

    def check_one(path):
        passed, output = run([CLANG_TIDY, "--quiet", "-p", build, *extra, os.path.join(root, path)])
        if not passed:
            print(output, flush=True)
        return passed

    def check_group(paths):
        """How many have findings."""
        with tempfile.TemporaryDirectory() as folder:
            passed = len(paths) > 1 and passes_as_one(paths, folder)
        good = paths if passed else [path for path in paths if check_one(path)]
        for path in good:
            left[path].touch()
        return len(paths) - len(good)

    groups = groups_of({path: without_paths(entries[path]) for path in left}, files)
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
