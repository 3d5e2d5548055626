#!/usr/bin/env python3
"""Each rule of tidy.py passes a good example and fails the bad ones."""

import json
import sys
import unittest

sys.dont_write_bytecode = True
import tidy

# Split, so that the rules don't find them here.
TO_DO = "TO" + "DO"
A_HOME = "/" + "home/me/x"


def breaches(rule, files):
    return list(rule(files))


class TidyTest(unittest.TestCase):
    def assert_clean(self, rule, files):
        self.assertEqual(breaches(rule, files), [])

    def assert_breach(self, rule, files, *expected):
        """Each expected text is in its own breach, in order, and there are no others."""
        found = breaches(rule, files)
        self.assertEqual(len(found), len(expected), found)
        for one, text in zip(found, expected):
            self.assertIn(text, one)

    def assert_include(self, rule, path, included, *expected):
        self.assert_breach(rule, {path: f'#include "{included}"\n'}, *expected)

    def test_layers(self):
        check = lambda *args: self.assert_include(tidy.layers, *args)
        check("libs/projector/a.cc", "libs/base/x.h")
        check("libs/projector/a.cc", "libs/projector/sub/x.h")
        check("libs/base/a.h", "libs/projector/x.h",
              "libs/base/a.h:1: libs/base (layer 1) includes libs/projector (layer")
        check("libs/projections/a.cc", "libs/state_store/x.h", "only lower layers")
        check("libs/base/a.cc", "libs/nowhere/x.h", "(layer unknown)")
        check("libs/nowhere/a.cc", "absl/x.h", "libs/nowhere has no layer")
        check("libs/projector/a.cc", "tests/support/x.h", "only tests may")
        for place in ("a_test.cc", "a_bench.cc", "test_a.h", "sub/testing/a.cc"):
            check("libs/projector/" + place, "tests/support/x.h")
        check("libs/projector/testing.cc", "tests/support/x.h", "only tests may")
        check("libs/projector/a_test.cc", "tests/simulation/x.h", "only tests/support")
        check("tests/simulation/a.cc", "services/kpi/x.h")

    def test_services(self):
        check = lambda *args: self.assert_include(tidy.layers, *args)
        check("services/kpi/a.cc", "libs/projector/x.h")
        check("services/kpi/a.cc", "services/kpi/x.h")
        check("services/kpi/a.cc", "services/ingest/x.h", "only services/rapport may")
        check("services/rapport/a.cc", "services/ingest/x.h")
        check("services/kpi/a.cc", "tests/support/x.h", "only tests may")
        check("libs/projector/a.cc", "services/kpi/x.h", "only services/rapport may")

    def test_seams(self):
        check = lambda *args: self.assert_include(tidy.seams, *args)
        check("libs/event_log/kafka/a.cc", "librdkafka/rdkafka.h")
        check("libs/event_log/embedded/a.cc", "librdkafka/rdkafka.h", "librdkafka is included")
        check("libs/event_log/embedded/a.cc", "rocksdb/db.h")
        check("libs/state_store/a.cc", "rocksdb/db.h")
        check("libs/projector/a.cc", "rocksdb/db.h", "RocksDB is included")
        check("services/rapport/a.cc", "rdkafka.h", "librdkafka is included")

    def test_purity(self):
        def check(code, *expected):
            self.assert_breach(tidy.purity, {"libs/projections/a.cc": code + "\n"}, *expected)
        check('#include "absl/time/time.h"\n#include <map>\nabsl::Time x = context.now;')
        check("// absl::Now() is not for us")
        for header in ("<thread>", "<chrono>", "<fstream>", "<sys/socket.h>",
                       '"absl/time/clock.h"', '"libs/base/log.h"', '"libs/event_log/x.h"'):
            check(f"#include {header}", header.strip('<>"'))
        for code in ("absl::Now()", "std::chrono::steady_clock::now()", "rand()", "getenv(x)",
                     "time(nullptr)", "std::random_device r;", "std::this_thread::yield()",
                     "absl::LocalTimeZone()"):
            check(code, "projections are pure")
        check("std::unordered_map<int, int> m;", "key order")
        check("absl::flat_hash_set<int> m;", "key order")
        self.assert_clean(tidy.purity, {"libs/projector/a.cc": "absl::Now();\n"})
        self.assert_clean(tidy.purity, {"libs/projections/a_test.cc": "#include <random>\n"})
        state = "proto/rapport/state/v1/a.proto"
        self.assert_breach(tidy.purity, {state: "message A {\n  map<string, int64> b = 1;\n}\n"},
                           f"{state}:2: a map has no order")

    def test_top_level(self):
        self.assert_clean(tidy.top_level, {"README.md": "", "libs/a/b.h": "", ".ci/run": ""})
        self.assert_breach(tidy.top_level, {"notes.md": "", "src/a.cc": ""}, "notes.md:1", "src:1")

    def test_unfinished_and_machine_paths(self):
        check = lambda text, *args: self.assert_breach(tidy.leftovers, {"a/b.md": text}, *args)
        check("done\n/usr/lib/x\n$dir/home/x\nhttp://x/y\n")
        check(f"one\n{TO_DO}: two\n", "a/b.md:2: unfinished: " + TO_DO)
        check(f"see {A_HOME}\n", "a path of one machine")

    def test_commented_out_code(self):
        check = lambda text, *args: self.assert_breach(tidy.leftovers, {"a/b.cc": text}, *args)
        for prose in ("// Retries; the caller waits.", "// return: the offset", "// a = b in all",
                      "//   store.Commit(batch);", "// if (and only if) it is so", "// (see x)",
                      "// State as of `now`; never falls;", "//", "// }; in the grammar means end"):
            check(prose + "\n")
        for code in ("// store.Commit(batch);", "// int x = 5;", "// return Fail(x);", "//return;",
                     "// if (x == 5) {", "// }", "// } else {", "// #include <map>",
                     "  // items[i] += 2;", "// void Run() const {"):
            check(code + "\n", "a/b.cc:1: code in a comment")
        check("#if 0\nx\n#endif\n", "a/b.cc:1: code disabled")

    def test_unwanted_types(self):
        def check(path, code, *expected):
            self.assert_breach(tidy.unwanted_types, {path: code + "\n"}, *expected)
        check("libs/base/a.cc", "rapport::Mutex m; absl::string_view s; // not std::mutex")
        check("libs/base/a.cc", "std::mutex m;", "std::mutex: use libs/base/mutex.h")
        check("libs/base/a.cc", "absl::Mutex m;", "absl::Mutex: use libs/base/mutex.h")
        check("libs/base/a.cc", "absl::optional<int> m;", "absl::optional: use the std type")
        check("libs/base/a.cc", "std::string_view s;", "use absl::string_view")
        check("libs/base/mutex.h", "std::mutex m;")

    def test_dead_files(self):
        good = {
            "libs/base/CMakeLists.txt": "rapport_library(NAME base SRCS a.cc sub/c.cc HDRS a.h)\n",
            "libs/base/a.cc": '#include "libs/base/a.h"\n',
            "libs/base/a.h": "",
            "libs/base/sub/c.cc": "",
            "libs/base/README.md": "",
            "tests/a/golden/x/y.textproto": "",
            "tests/run.sh": "tests/tool.py\n",
            "tests/tool.py": "run.sh runs this\n",
        }
        self.assert_clean(tidy.dead_files, good)
        self.assert_breach(tidy.dead_files, good | {"libs/base/b.cc": ""},
                           "libs/base/b.cc:1: dead file: libs/base/CMakeLists.txt does not name b")
        self.assert_breach(tidy.dead_files, good | {"libs/base/aa.cc": ""}, "does not name aa.cc")
        self.assert_breach(tidy.dead_files, good | {"libs/base/a.cc": ""}, "dead header")
        own = {"libs/base/p.h": "", "libs/base/a.h": '#include "libs/base/p.h"\n'}
        self.assert_clean(tidy.dead_files, good | own)
        users = {"tests/a/CMakeLists.txt": "a.cc", "tests/a/a.cc": '#include "libs/base/p.h"\n'}
        self.assert_breach(tidy.dead_files, good | own | users,
                           "libs/base/p.h:1: others include this header: name p.h among the HDRS")
        self.assert_breach(tidy.dead_files, good | {"deploy/old.sh": ""}, "no other file names it")

    def test_readmes_exist_and_are_short(self):
        source = {"libs/base/a.cc": ""}
        self.assert_clean(tidy.readmes, source | {"libs/base/README.md": "x\n" * 30})
        self.assert_breach(tidy.readmes, source, "libs/base/README.md:1: missing")
        self.assert_breach(tidy.readmes, source | {"libs/base/README.md": "x\n" * 31}, "at most 30")
        self.assert_clean(tidy.readmes, {"README.md": "x\n" * 300})

    def test_readmes_name_what_exists(self):
        def check(text, *expected):
            files = {"libs/base/a.cc": "", "libs/base/README.md": text, "tests/run.sh": ""}
            self.assert_breach(tidy.readmes, files, *expected)
        check("`a.cc` `libs/base` `libs/base/` [run](../../tests/run.sh) `tests/run.sh` `a::b`\n")
        check("`application/json` `x/y` `.build/dev/rapport` `std::map` `1.5` https://a.b/c.h\n")
        check("`run.sh`\n")
        check("one\n`b.cc`\n", "libs/base/README.md:2: names b.cc")
        check("`libs/gone` `tests/`\n", "names libs/gone")
        check("[x](../gone.md)\n", "names ../gone.md")

    def test_console_packages(self):
        def files(dependencies, packages):
            return {"services/console/package.json": json.dumps(
                        {"dependencies": dependencies, "devDependencies": {}}),
                    "services/console/package-lock.json": json.dumps({"packages": packages})}
        chosen = {name: "1.2.3" for name in tidy.CONSOLE_PACKAGES}
        mit = {"node_modules/react": {"license": "MIT"}}
        self.assert_clean(tidy.console_packages, {})
        self.assert_clean(tidy.console_packages, files(chosen, mit))
        self.assert_breach(tidy.console_packages, files({**chosen, "left-pad": "1.0.0"}, mit),
                           "left-pad: the direct dependencies")
        self.assert_breach(tidy.console_packages, files({**chosen, "react": "^19.0.0"}, mit),
                           "react ^19.0.0: name one version")
        self.assert_breach(tidy.console_packages,
                           files(chosen, {"": {}, "node_modules/x": {"license": "GPL-3.0"},
                                          "node_modules/y": {"license": "GPL-3.0", "dev": True},
                                          "node_modules/z": {"license": "MIT", "resolved": "x"}}),
                           "node_modules/x: its licence is GPL-3.0",
                           "node_modules/z: names a host")

    def test_include_style(self):
        def check(text, *expected):
            files = {"libs/base/a.cc": text + "\n", "libs/base/b.h": "#pragma once\n",
                     "proto/rapport/x/v1/y.proto": ""}
            self.assert_breach(tidy.include_style, files, *expected)
        check('#include "libs/base/b.h"\n#include <map>\n#include <unistd.h>')
        check("#include <sys/wait.h>")
        check('#include "absl/strings/str_cat.h"\n#include "rapport/x/v1/y.pb.h"\n#include "csv.h"')
        check('#include "b.h"', "libs/base/a.cc:1: write the path from the root: b.h")
        check('#include "../base/b.h"', "write the path from the root")
        check('#include "libs/base/c.h"', "libs/base/c.h does not exist")
        check('#include "rapport/x/v1/z.pb.h"', "proto/rapport/x/v1/z.proto does not exist")
        check("#include <libs/base/b.h>", "angle brackets")
        check("#include <absl/time/time.h>", "angle brackets")
        check("#include <csv.h>", "angle brackets")

    def test_own_header_first(self):
        def check(text, *expected):
            self.assert_breach(tidy.include_style,
                               {"libs/a/b.h": "#pragma once\n", "libs/a/b.cc": text}, *expected)
        check('#include "libs/a/b.h"\n#include <map>\n')
        check('// Why.\n#include "libs/a/b.h"\n')
        check('#include <map>\n#include "libs/a/b.h"\n', "libs/a/b.cc:1: include libs/a/b.h first")
        check("int x = 1;\n", "libs/a/b.cc:1: include libs/a/b.h first")

    def test_pragma_once(self):
        check = lambda text, *args: self.assert_breach(tidy.include_style, {"a/b.h": text}, *args)
        check("// Why.\n#pragma once\n")
        check("#include <map>\n#pragma once\n", "a header begins with #pragma once")
        check("#ifndef A\n", "a header begins with #pragma once")

    def test_declared(self):
        def check(code, *expected):
            files = {"libs/base/a.cc": code, "libs/base/b.h": "#include <map>\n",
                     "libs/base/c.h": '#include "libs/base/b.h"\n'}
            self.assert_breach(tidy.declared, files, *expected)
        check("#include <map>\nstd::map<int, int> m;\n")
        check('#include "libs/base/c.h"\nstd::map<int, int> m;\n')
        check("// std::map\n\nstd::map<int, int> m;\n", "a.cc:3: std::map comes from map: include")
        check("std::mapped m;\n")
        check("absl::Time t;\n", "absl/time/time.h")
        check('#include "absl/time/clock.h"\nabsl::Time t;\n')
        check('#include "absl/strings/str_cat.h"\nabsl::string_view t;\n')
        check("TEST(A, B) {}\n", "gtest/gtest.h")

    def test_one_definition(self):
        def check(first, second, *expected):
            files = {"a/a.h": f"namespace rapport {{\n{first}\n}}  // namespace rapport\n",
                     "a/b.cc": f"namespace rapport {{\n{second}\n}}  // namespace rapport\n"}
            self.assert_breach(tidy.one_definition, files, *expected)
        twice = "a/b.cc:2: rapport::Queue is defined in a/a.h, too"
        check("class Queue {\n};", "class Queue {\n};", twice)
        check("class Queue {\n};", "struct Queue final : public Base<a::B> {\n};", twice)
        check("class Queue {\n};", "class Queue;")
        check("class Queue {\n};", "struct Queue::Item {\n};")
        check("class Queue {\n};", "namespace {\nclass Queue {\n};\n}  // namespace")
        check("class Queue {\n};",
              "namespace {\n}  // namespace\nclass Queue {\n};", "a/b.cc:4: rapport::Queue")
        check("namespace internal {\nclass Queue {\n};\n}  // namespace internal",
              "class Queue {\n};")

    def test_size_and_space(self):
        check = lambda path, text, *args: self.assert_breach(
            tidy.size_and_space, {path: text}, *args)
        check("a/b.cc", "x\n" * 800)
        check("a/b.cc", "x\n" * 801, "a/b.cc:801: 801 lines")
        check("a/b.cc", "x" * 100 + "\n")
        check("a/b.cc", "x" * 101 + "\n", "101 columns")
        check("a/b.cc", "// https://" + "x" * 101 + "\n")
        check("a/b.md", "x" * 101 + " \n")
        check("a/b.sh", "x \n", "space at the end")
        check("a/run", "#!/bin/sh\nx \n", "a/run:2: space at the end")
        check("a/b.cc", "\tx\n", "a tab")
        check("a/b.cc", "x", "no newline")
        check("services/kpi/main.cc", "x\n" * 60)
        check("services/kpi/main.cc", "x\n" * 61, "parts list of at most 60")

    def test_every_rule_is_tested_here(self):
        with open(__file__, encoding="utf-8") as file:
            text = file.read()
        for rule in tidy.RULES:
            self.assertIn(f"tidy.{rule.__name__},", text)

    def test_code_only_keeps_lines(self):
        text = 'a // x\nb /* y\nz */ c\n"s // t" d R"(q\n// r)" e\n'
        self.assertEqual(tidy.code_only(text), "a \nb \n c\n d \n e\n")


if __name__ == "__main__":
    unittest.main()
