#!/usr/bin/env python3
"""What packages.py finds in scripts and among packages."""

import sys
import unittest

sys.dont_write_bytecode = True
import packages


class PackagesTest(unittest.TestCase):
    def assert_commands(self, script, *expected):
        self.assertEqual(packages.shell_commands(script), set(expected))

    def test_commands_of_a_script(self):
        self.assert_commands("sort a | uniq -c && wc; echo x", "sort", "uniq", "wc")
        self.assert_commands("LC_ALL=C sort a\nx=1\n", "sort")
        self.assert_commands("if ! cmp -s a b; then rm a; else exec mv a b; fi", "cmp", "rm", "mv")
        self.assert_commands("while read -r a; do cut -f1; done <x >y", "cut")
        self.assert_commands("for cut in sort; do\n  sed x\ndone", "sed")
        self.assert_commands("(cd x && tar c .)", "tar")
        self.assert_commands("make \\\n  install", "make")

    def test_commands_within_words(self):
        self.assert_commands('echo "$(nproc) cores; sort them"', "nproc")
        self.assert_commands("a=$(sort <(uniq b))", "sort", "uniq")
        self.assert_commands("echo 'cut; sort'  # sed")
        self.assert_commands("list=(sort uniq)\n((a = b)) || [[ sort == a ]]")

    def test_patterns_are_no_commands(self):
        self.assert_commands("case $a in\n  sort | uniq) cut ;;\n  *) sed x ;;\nesac\ntr a b",
                             "cut", "sed", "tr")

    def test_functions_and_here_documents_are_no_commands(self):
        self.assert_commands("fetch() {\n  curl x\n}\nfetch\ncat <<E\nsort me\nE\n", "curl", "cat")

    def test_closure(self):
        def package(depends="", provides=""):
            return {"Depends": depends, "Pre-Depends": "", "Provides": provides}
        known = {"a": package("b (>= 1), c | d"), "b": package(), "c": package("virtual"),
                 "d": package(), "e": package(provides="virtual (= 2)"), "recommended": package()}
        self.assertEqual(packages.closure(["a"], known), {"a", "b", "c", "e"})


if __name__ == "__main__":
    unittest.main()
