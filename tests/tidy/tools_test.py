#!/usr/bin/env python3
"""Each check of tools.py passes a good file, fails a bad one, and clang-tidy's stamps hold."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import tools

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

GUARDED = """#pragma once
struct __attribute__((lockable)) Lock {
  void Take() __attribute__((exclusive_lock_function()));
};
struct Account {
  Lock lock;
  int balance __attribute__((guarded_by(lock))) = 0;
};
"""


class ToolsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        self.root = folder.name
        for name in (".clang-format", ".clang-tidy"):
            self.write(name, (ROOT / name).read_text(encoding="utf-8"))

    def write(self, path, text):
        full = Path(self.root) / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")

    def run_check(self, check, *arguments):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            passed = check(self.root, *arguments)
        return passed, printed.getvalue()

    def test_format(self):
        self.write("a.cc", "int Twice(int x) { return 2 * x; }\n")
        self.assertEqual(self.run_check(tools.check_format), (True, ""))
        self.write("a.cc", "int Twice( int x ) { return 2 * x; }\n")
        passed, printed = self.run_check(tools.check_format)
        self.assertFalse(passed)
        self.assertIn("a.cc:1:11: error: code should be clang-formatted", printed)

    def test_shell(self):
        self.write("a.sh", "#!/bin/sh\necho \"$HOME\"\n")
        self.write("run", "#!/bin/bash\n[[ -n $HOME ]]\n")
        self.assertEqual(self.run_check(tools.check_shell), (True, ""))
        self.write("a.sh", "#!/bin/sh\nrm $HOME\n")
        passed, printed = self.run_check(tools.check_shell)
        self.assertFalse(passed)
        self.assertIn("SC2086", printed)

    def test_shell_that_does_not_parse(self):
        self.write("run", "#!/bin/bash\nif true; then\n")
        passed, printed = self.run_check(tools.check_shell)
        self.assertFalse(passed)
        self.assertIn("unexpected end of file", printed)

    def clang_tidy(self, **sources):
        entries = []
        for name, text in sources.items():
            self.write(f"libs/{name}.cc", text)
            entries.append({"directory": self.root, "file": f"{self.root}/libs/{name}.cc",
                            "command": f"g++ -std=c++20 -Wno-maybe-uninitialized -I{self.root} "
                                       f"-c {self.root}/libs/{name}.cc"})
        self.write(".build/dev/compile_commands.json", json.dumps(entries))
        return self.run_check(tools.check_clang_tidy, f"{self.root}/.build/dev")

    def test_clang_tidy_finds(self):
        self.write("libs/guarded.h", GUARDED)
        passed, printed = self.clang_tidy(
            moved="#include <string>\n#include <utility>\n"
                  "std::string F(std::string s) {\n  std::string t = std::move(s);\n"
                  "  return s + t;\n}\n",
            null="int F(int a) {\n  int* p = nullptr;\n  if (a > 2) p = &a;\n  return *p;\n}\n",
            race='#include "libs/guarded.h"\n'
                 "int F(Account& account) { return account.balance; }\n",
            good="int F(int a) { return a; }\n")
        self.assertFalse(passed)
        self.assertIn("moved.cc:5:10: error: 's' used after it was moved", printed)
        self.assertIn("null.cc:4:10: error: Dereference of null pointer", printed)
        self.assertIn("race.cc:2:42: error: reading variable 'balance' requires holding", printed)
        self.assertIn("4 sources, 4 checked, 3 with findings", printed)

    def test_clang_tidy_reads_each_of_the_sources_that_are_compiled_as_one(self):
        self.write("libs/good.cc", "int F() { return 1; }\n")
        self.write("libs/null.cc", "int G(int a) {\n  int* p = nullptr;\n  if (a > 2) p = &a;\n"
                                   "  return *p;\n}\n")
        unity = f"{self.root}/.build/dev/x.dir/Unity/unity_0_cxx.cxx"
        self.write(".build/dev/x.dir/Unity/unity_0_cxx.cxx",
                   f'#include "{self.root}/libs/good.cc"\n\n#include "{self.root}/libs/null.cc"\n')
        self.write(".build/dev/compile_commands.json", json.dumps(
            [{"directory": self.root, "file": unity, "command": f"g++ -std=c++20 -c {unity}"}]))
        passed, printed = self.run_check(tools.check_clang_tidy, f"{self.root}/.build/dev")
        self.assertFalse(passed)
        self.assertIn("null.cc:4:10: error: Dereference of null pointer", printed)
        self.assertIn("2 sources, 2 checked, 1 with findings", printed)

    def test_clang_tidy_finds_in_sources_read_at_once(self):
        """Each of these, whose names differ, makes the whole group fail."""
        self.write("libs/guarded.h", GUARDED)
        bad = {
            "moved": "#include <string>\n#include <utility>\nstd::string Moved(std::string s) {\n"
                     "  std::string t = std::move(s);\n  return s + t;\n}\n",
            "null": "int Null(int a) {\n  int* p = nullptr;\n  if (a > 2) p = &a;\n"
                    "  return *p;\n}\n",
            "race": '#include "libs/guarded.h"\nint Race(Account& a) { return a.balance; }\n'}
        good = {"fine": "int Fine(int a) { return a; }\n", "other": "int Other() { return 1; }\n"}
        for name, text in bad.items():
            sources = {**good, name: text}
            self.assertEqual(len(tools.groups_of(
                dict.fromkeys(sources, ""), sources)), 1)
            passed, printed = self.clang_tidy(**sources)
            self.assertFalse(passed)
            self.assertIn(f"{name}.cc:", printed)
            self.assertIn(", 1 with findings", printed)

    def test_only_sources_whose_names_agree_are_read_at_once(self):
        alias, used = "namespace a = b::c;\n", "using b::Ledger;\n"
        files = {"a.cc": "constexpr int kMost = 1;\n", "b.cc": "constexpr int kMost = 2;\n",
                 "c.cc": "int C() { return kMost; }\n", "d.cc": alias, "e.cc": alias + used,
                 "f.cc": "namespace a = b::d;\n" + used, "g.cc": '#include "ledger.h"\n',
                 "ledger.h": "class Ledger {\n};\n", "x/h.cc": "int H();\n", "x/i.cc": "int I();\n"}
        sources = {path: ["-O1"] for path in files if path.endswith(".cc")}
        sources["x/h.cc"] = ["-DWHERE=1"]
        sources["x/i.cc"] = ["-DWHERE=2"]
        self.assertEqual(tools.groups_of(sources, files),
                         [["a.cc", "c.cc", "d.cc", "e.cc", "x/h.cc"], ["b.cc", "f.cc", "x/i.cc"],
                          ["g.cc"]])

    def test_a_joined_command_has_the_options_of_all(self):
        entries = [{"command": f"g++ -DA=1 -isystem {folder} -I. -O1 -o x.o -c /x.cc"}
                   for folder in ("/one", "/two")]
        self.assertEqual(tools.join_arguments(map(tools.arguments_of, entries)),
                         ["g++", "-DA=1", "-isystem", "/one", "-I.", "-O1", "-isystem", "/two"])

    def test_clang_tidy_checks_again_what_changed(self):
        self.write("libs/guarded.h", GUARDED)
        sources = {"one": '#include "libs/guarded.h"\n', "two": "int F(int a) { return a; }\n"}
        self.assertEqual(self.clang_tidy(**sources), (True, "2 sources, 2 checked, "
                                                            "0 with findings\n"))
        self.assertEqual(self.clang_tidy(**sources), (True, "2 sources, 0 checked, "
                                                            "0 with findings\n"))
        self.write("libs/guarded.h", GUARDED + "struct More {};\n")
        self.assertEqual(self.clang_tidy(**sources), (True, "2 sources, 1 checked, "
                                                            "0 with findings\n"))
        sources["two"] = "int F(int* a) {\n  a = nullptr;\n  return *a;\n}\n"
        for _ in range(2):  # a finding leaves no stamp
            passed, printed = self.clang_tidy(**sources)
            self.assertFalse(passed)
            self.assertIn("2 sources, 1 checked, 1 with findings", printed)

    def test_a_changed_proto_is_a_changed_header(self):
        files = {"libs/a.cc": '#include "rapport/x/v1/y.pb.h"\n',
                 "proto/rapport/x/v1/y.proto": 'import "rapport/x/v1/z.proto";\n',
                 "proto/rapport/x/v1/z.proto": ""}
        self.assertEqual(tools.dependencies("libs/a.cc", files), sorted(files))


if __name__ == "__main__":
    unittest.main()
