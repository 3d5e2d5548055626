#!/usr/bin/env python3
"""Lint as a test: the rules of this repository that no compiler holds.

Usage: tidy.py ROOT. Prints `path:line: message` for each breach and fails if there was one.
A rule takes the repository as {path: text} and yields breaches; tidy_test.py shows each one fail.
"""

import json
import os
import re
import sys
from pathlib import PurePosixPath

# Who may include whom: only lower layers, and own files. Services stand above all of libs.
LAYERS = {
    "libs/base": 1,
    "libs/event_log": 2,
    "libs/touchpoint": 3,
    "libs/identity": 4,
    "libs/organisation": 4,
    "libs/projections": 5,
    "libs/state_store": 5,
    "libs/backtest": 6,
    "libs/bonus": 6,
    "libs/web_hook_check": 5,
    "libs/risk_model": 7,
    "libs/projector": 6,
    "libs/intake": 6,
    "libs/telephony": 6,
    "libs/mail": 6,
    "libs/phrases": 5,
    "libs/smtp": 2,
    "libs/import": 7,
    "libs/service": 7,
    "libs/sign_in": 8,
    "libs/console": 8,
    "libs/serving": 8,
    "libs/history": 9,
    "libs/kpi": 9,
    "libs/people": 9,
    "libs/sources": 9,
}
# The service that is the command line and the all-in-one process.
ALL_IN_ONE = "services/rapport"
# Only these take part in more than one layer's tests.
TEST_SUPPORT = "tests/support"

# A library of the outside world, and the only paths that may include it.
SEAMS = {
    "librdkafka": (r"(librdkafka/|rdkafka)", ("libs/event_log/kafka", "tests/")),
    "RocksDB": (r"rocksdb/", ("libs/event_log/embedded", "libs/state_store/", "tests/")),
    "Boost": (r"boost/(?!multiprecision|rational)", ("libs/service/",)),
    "Boost's numbers": (r"boost/(?:multiprecision|rational)", ("libs/bonus/exact.h",)),
    "libcurl": (r"curl/", ("libs/service/", "libs/mail/", "libs/smtp/")),
    "spdlog": (r"spdlog/", ("libs/service/",)),
    "simdjson": (r"simdjson", ("libs/intake/",)),
    "libphonenumber": (r"phonenumbers/", ("libs/identity/",)),
    "ICU": (r"unicode/", ("libs/base/folded_words.cc", "libs/phrases/")),
    "GMime": (r"gmime/", ("libs/mail/",)),
    "cjose": (r"cjose/", ("libs/sign_in/",)),
    "libsodium": (r"sodium\.h", ("libs/sign_in/",)),
    "NLopt": (r"nlopt\.", ("libs/risk_model/maximise.cc",)),
}

# The page's direct dependencies, and the licences of all that is in it.
CONSOLE_PACKAGES = {
    "@lingui/core", "@lingui/react", "@tanstack/react-query", "@tanstack/react-virtual",
    "openapi-fetch", "react", "react-aria-components", "react-dom", "uplot", "wouter",
}
CONSOLE_LICENCES = {"MIT", "Apache-2.0", "Unlicense", "0BSD", "BSD-3-Clause"}

TOP_LEVEL = {"CMakeLists.txt", "README.md", "deploy", "libs", "proto", "services", "tests"}

PURE_FOLDER = "libs/projections/"
IMPURE_HEADERS = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|atomic|semaphore|latch|barrier|"
    r"stop_token|chrono|ctime|time\.h|random|cstdio|stdio\.h|iostream|fstream|filesystem|"
    r"unistd\.h|fcntl\.h|poll\.h|(sys|netinet|arpa|net)/.*|absl/time/clock\.h|absl/random/.*|"
    r"absl/synchronization/.*|libs/base/(log|mutex)\.h|libs/event_log/.*)$"
)
IMPURE_CODE = re.compile(
    r"absl::Now\b|\bGetCurrentTimeNanos\b|\bLocalTimeZone\b|_clock\b|\bclock_gettime\b|"
    r"\bgettimeofday\b|\btime\((nullptr|NULL|0)\)|\bs?rand\(|\brandom_device\b|\bgetenv\b|"
    r"\bthis_thread\b|\bthread_local\b|\bfopen\b"
)
UNORDERED = re.compile(r"\b(unordered_(multi)?(map|set)|(flat|node)_hash_(map|set))\b")

# What does not work here, and what to use.
UNWANTED = {
    r"absl::(Mutex|MutexLock|CondVar)\b": "libs/base/mutex.h: the thread sanitizer knows it",
    r"std::(mutex|lock_guard|unique_lock|scoped_lock|condition_variable)\b":
        "libs/base/mutex.h: clang checks its annotations",
    r"absl::(optional|nullopt|variant)\b": "the std type: absl's is another one here",
    r"std::string_view\b": "absl::string_view: std's does not convert to it here",
}
UNWANTED_EXEMPT = {"libs/base/mutex.h"}

# Precompiled headers bring these names to every source, so that no compiler misses the include:
# where each is declared. A header in the second table brings those beside it.
DECLARED_IN = {
    "algorithm": r"std::(sort|stable_sort|is_sorted|find_if|find_if_not|any_of|all_of|none_of|"
                 r"min_element|max_element|lower_bound|upper_bound|equal_range|binary_search|"
                 r"remove_if|copy_if|count_if|reverse|rotate|shuffle|unique|partial_sort|"
                 r"set_difference|set_intersection|set_union|merge|clamp|for_each|transform)\(",
    "array": r"std::array\b",
    "atomic": r"std::atomic\b",
    "chrono": r"std::chrono\b",
    "cmath": r"std::(sqrt|exp|log|pow|lround|llround|floor|ceil|isfinite|isnan)\(",
    "cstring": r"std::(memcpy|memcmp|memset|strlen|strerror)\(",
    "deque": r"std::deque\b",
    "filesystem": r"std::filesystem\b",
    "fstream": r"std::(i|o)?fstream\b",
    "functional": r"std::(function|hash|greater|less)\b",
    "iostream": r"std::(cout|cerr|cin)\b",
    "limits": r"std::numeric_limits\b",
    "map": r"std::(multi)?map\b",
    "memory": r"std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared)\b",
    "numeric": r"std::(accumulate|iota)\(",
    "optional": r"std::(optional|nullopt)\b",
    "random": r"std::(mt19937|mt19937_64|uniform_int_distribution|random_device)\b",
    "set": r"std::(multi)?set\b",
    "sstream": r"std::(i|o)?stringstream\b",
    "string": r"std::(string|to_string)\b",
    "thread": r"std::(thread|this_thread)\b",
    "tuple": r"std::(tuple|tie|make_tuple|forward_as_tuple)\b",
    "utility": r"std::(move|forward|exchange)\(",
    "variant": r"std::(variant|visit|holds_alternative)\b",
    "vector": r"std::vector\b",
    "absl/container/flat_hash_map.h": r"absl::flat_hash_map\b",
    "absl/container/flat_hash_set.h": r"absl::flat_hash_set\b",
    "absl/status/status.h": r"absl::(Status|StatusCode|OkStatus|[A-Z]\w+Error)\b",
    "absl/status/statusor.h": r"absl::StatusOr\b",
    "absl/strings/ascii.h": r"absl::(AsciiStrToLower|AsciiStrToUpper|StripAsciiWhitespace|"
                            r"ascii_is\w+)\b",
    "absl/strings/escaping.h": r"absl::(C(Hex)?Escape|CUnescape|(Web)?(Un|Safe)?\w*Base64\w*|"
                               r"BytesToHexString|HexStringToBytes)\b",
    "absl/strings/match.h": r"absl::(StrContains|StartsWith|EndsWith|EqualsIgnoreCase)\b",
    "absl/strings/numbers.h": r"absl::(SimpleAtoi|SimpleAtod|SimpleHexAtoi)\b",
    "absl/strings/str_cat.h": r"absl::(StrCat|StrAppend|Hex|Dec)\b",
    "absl/strings/str_format.h": r"absl::(StrFormat|StrAppendFormat|PrintF|FPrintF)\b",
    "absl/strings/str_join.h": r"absl::StrJoin\b",
    "absl/strings/str_split.h": r"absl::(StrSplit|MaxSplits|ByChar|ByString|SkipEmpty)\b",
    "absl/strings/string_view.h": r"absl::string_view\b",
    "absl/time/clock.h": r"absl::(Now|SleepFor)\b",
    "absl/time/time.h": r"absl::(Time|Duration|\w*seconds|Minutes|Hours|UnixEpoch|InfiniteFuture|"
                        r"InfinitePast|FormatTime|ParseTime)\b",
    "absl/types/span.h": r"absl::(Span|MakeSpan|MakeConstSpan)\b",
    "gmock/gmock.h": r"\b(ElementsAre|UnorderedElementsAre|HasSubstr|EXPECT_THAT|MATCHER(_P)?)\b",
    "gtest/gtest.h": r"\b(EXPECT_(EQ|NE|TRUE|FALSE|LT|LE|GT|GE)|ASSERT_(EQ|TRUE)|TEST(_F)?)\(",
}
ALSO_DECLARES = {
    "gmock/gmock.h": ("gtest/gtest.h",),
    "absl/status/status.h": ("absl/strings/string_view.h", "string"),
    "absl/status/statusor.h": ("absl/status/status.h",),
    "absl/time/clock.h": ("absl/time/time.h",),
}

MAX_FILE_LINES = 800
MAX_MAIN_LINES = 60
MAX_README_LINES = 30
MAX_COLUMNS = 100

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}>)*])/(root|home|work|Users|mnt)/\w")
COMMENTED_OUT = re.compile(
    r"^\s*// ?(?! )("
    r".*\)( const)?( \{|;)|"
    r"[\w:<>*&.\->\[\] ]+ [+-]?= .*;|"
    r"(return|break|continue|delete|using|throw|goto)\b[^.]*;|"
    r"(if|for|while|switch) \(.*\{|"
    r"\} ?(else.*)?[;{]?|"
    r"#(include|if|ifdef|ifndef|define|endif)\b.*"
    r")\s*$"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SYSTEM_INCLUDE = re.compile(
    r"(?!csv\.h|xxhash\.h|rdkafka)([a-z_0-9]+(\.h)?$|(sys|netinet|arpa|net|linux|asm|bits)/)")


def breach(path, line, message):
    return f"{path}:{line}: {message}"


def is_cpp(path):
    return path.endswith((".cc", ".h"))


def is_script(path, text):
    return path.endswith((".sh", ".py")) or text.startswith("#!")


def is_test(path):
    """Beside the code: x_test.cc, x_bench.cc, test_x.h, testing/x.h."""
    return path.startswith("tests/") or bool(
        re.search(r"/testing/|/test_[^/]*$|_(test|bench)\.(cc|h)$", path))


def component(path):
    """libs/base of libs/base/x/y.cc."""
    return "/".join(path.split("/")[:2])


def lines_of(text):
    return enumerate(text.splitlines(), start=1)


def cpp_files(files):
    return ((path, text) for path, text in sorted(files.items()) if is_cpp(path))


def includes(text):
    """(line, '<' or '"', path) of each include."""
    for number, line in lines_of(text):
        if match := INCLUDE.match(line):
            yield number, match[1], match[2]


_NOT_CODE = re.compile(
    r'R"([^(\s]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    r"|(?<!\w)'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def code_only(text):
    """The text with comments and literals blanked, lines kept."""
    return _NOT_CODE.sub(lambda match: "\n" * match[0].count("\n"), text)


# The rules.


def layers(files):
    """Includes go downwards; a service never includes a service; products never include tests."""
    for path, text in cpp_files(files):
        own = component(path)
        if own.startswith("libs/") and own not in LAYERS:
            yield breach(path, 1, f"{own} has no layer: give it one in LAYERS of tidy.py")
            continue
        for number, _, included in includes(text):
            target = component(included)
            area = target.split("/")[0]
            if target == own or area not in ("libs", "services", "tests"):
                continue
            if own.startswith("tests/"):
                continue
            if area == "tests":
                if not (is_test(path) and target == TEST_SUPPORT):
                    yield breach(path, number, f"{own} includes {target}: only tests may, "
                                 f"and those beside the code only {TEST_SUPPORT}")
            elif area == "services":
                if own != ALL_IN_ONE:
                    yield breach(path, number, f"{own} includes {target}: only {ALL_IN_ONE} may")
            elif own.startswith("libs/") and LAYERS.get(target, 99) >= LAYERS[own]:
                yield breach(path, number,
                             f"{own} (layer {LAYERS[own]}) includes {target} (layer "
                             f"{LAYERS.get(target, 'unknown')}): only lower layers may be included")


def seams(files):
    """Each library of the outside world is included behind its seam alone."""
    for path, text in cpp_files(files):
        for number, _, included in includes(text):
            for name, (pattern, allowed) in SEAMS.items():
                if re.match(pattern, included) and not path.startswith(allowed):
                    yield breach(path, number,
                                 f"{name} is included outside {', '.join(allowed)}")


def purity(files):
    """Projections read no clock, thread, file, network, random source or environment, and have no
    order but that of keys."""
    for path, text in cpp_files(files):
        if not path.startswith(PURE_FOLDER) or is_test(path):
            continue
        for number, _, included in includes(text):
            if IMPURE_HEADERS.match(included):
                yield breach(path, number, f"projections are pure, and this is not: {included}")
        for number, line in lines_of(code_only(text)):
            if match := IMPURE_CODE.search(line):
                yield breach(path, number, f"projections are pure, and this is not: {match[0]}")
            if match := UNORDERED.search(line):
                yield breach(path, number, f"projections iterate in key order, which {match[0]} "
                             "has not")
    for path, text in sorted(files.items()):
        if path.startswith("proto/rapport/state/") and path.endswith(".proto"):
            for number, line in lines_of(text):
                if re.match(r"\s*map\s*<", line):
                    yield breach(path, number, "a map has no order, so its bytes differ from "
                                 "run to run: use a repeated message sorted by key")


def top_level(files):
    """Only the known names stand at the top."""
    for name in sorted({path.split("/")[0] for path in files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield breach(name, 1, f"not a name of the top level: {', '.join(sorted(TOP_LEVEL))} "
                         "and dot-files")


def leftovers(files):
    """Nothing unfinished, commented out or bound to one machine."""
    for path, text in sorted(files.items()):
        for number, line in lines_of(text):
            if match := UNFINISHED.search(line):
                yield breach(path, number, f"unfinished: {match[0]}")
            if match := MACHINE_PATH.search(line):
                yield breach(path, number, f"a path of one machine: {match[0]}")
            if is_cpp(path):
                if COMMENTED_OUT.match(line):
                    yield breach(path, number, "code in a comment: delete it, or indent an example "
                                 "by three spaces")
                if re.match(r"\s*#\s*if\s+0\b", line):
                    yield breach(path, number, "code disabled by #if 0: delete it")


def unwanted_types(files):
    """Types that don't work with this toolchain, or that no checker sees."""
    for path, text in cpp_files(files):
        if path in UNWANTED_EXEMPT:
            continue
        for number, line in lines_of(code_only(text)):
            for pattern, instead in UNWANTED.items():
                if match := re.search(pattern, line):
                    yield breach(path, number, f"{match[0]}: use {instead}")


def dead_files(files):
    """Every source is in the build, every header is included, every other file is named."""
    users = {}
    for path, text in cpp_files(files):
        for _, _, target in includes(text):
            users.setdefault(target, set()).add(component(path))
    cmake = {path: text for path, text in files.items() if path.endswith("CMakeLists.txt")}
    # Data that tests find by listing these folders, and files that tools find by their names.
    found_by_tools = re.compile(
        r"(^|/)(golden|testdata|scenarios)/.*\.(?!py$|sh$|txt$)\w+$|(^|/)(README\.md|"
        r"CMakeLists\.txt|\.[^/]*)$|^proto/.*\.proto$|^\.[^/]*/|"
        # Modules are imported without the ends of their names; the compiler knows them.
        # Browser tests are found by their folder's CMakeLists.txt.
        r"^services/console/(src/.*|package-lock\.json)$|^tests/console/.*_test\.mjs$")
    for path, text in sorted(files.items()):
        if is_cpp(path):
            folder = PurePosixPath(path).parent
            while str(folder) != "." and f"{folder}/CMakeLists.txt" not in cmake:
                folder = folder.parent
            listing = f"{folder}/CMakeLists.txt"
            name = str(PurePosixPath(path).relative_to(folder))
            named = re.search(r"(^|[\s(])" + re.escape(name) + r"($|[\s)])",
                              cmake.get(listing, ""))
            header = path.endswith(".h")
            if header and path not in users:
                yield breach(path, 1, "dead header: nothing includes it")
            elif not header and not named:
                yield breach(path, 1, f"dead file: {listing} does not name {name}")
            elif not named and users[path] - {component(path)}:
                yield breach(path, 1, f"others include this header: name {name} among the HDRS of "
                             f"{listing}")
        elif not found_by_tools.search(path):
            name = PurePosixPath(path).name
            if not any(name in other for place, other in files.items() if place != path):
                yield breach(path, 1, "dead file: no other file names it")


def readmes(files):
    """Each library and service has a short README, and READMEs name only what exists."""
    folders = {"/".join(path.split("/")[:depth])
               for path in files for depth in range(1, path.count("/") + 1)}
    for folder in sorted({component(path) for path in files
                          if path.count("/") > 1 and path.startswith(("libs/", "services/"))}):
        if f"{folder}/README.md" not in files:
            yield breach(f"{folder}/README.md", 1, "missing: what, why, how data goes through")
    for path, text in sorted(files.items()):
        if PurePosixPath(path).name != "README.md":
            continue
        here = str(PurePosixPath(path).parent)
        lines = text.count("\n")
        if here != "." and lines > MAX_README_LINES:
            yield breach(path, lines, f"{lines} lines; at most {MAX_README_LINES}")
        for number, line in lines_of(text):
            names = re.findall(r"`([\w./-]+)`", line) + re.findall(r"\]\(([\w./-]+)\)", line)
            for name in names:
                if _names_a_path(name, here, folders) and not _exists(name, here, files, folders):
                    yield breach(path, number, f"names {name}, which does not exist")


def _names_a_path(name, here, folders):
    first = name.split("/")[0]
    if name.startswith((".build/", "/")):
        return False
    if "/" in name:
        return first in TOP_LEVEL or first.startswith(".") or f"{here}/{first}" in folders
    return bool(re.search(r"\w\.(h|cc|py|sh|md|proto|textproto|binpb)$", name))


def _exists(name, here, files, folders):
    """From here, from the root, or, for a bare name, anywhere: a table names the folder once."""
    if "/" not in name:
        return any(PurePosixPath(path).name == name for path in files)
    name = name.rstrip("/")
    places = (name, os.path.normpath(f"{here}/{name}"))
    return any(place in files or place in folders for place in places)


def console_packages(files):
    """What the console is made of was chosen: each package by its exact version, under a licence
    that asks for no more than its text, from no host that the lock would name."""
    folder = "services/console"
    if f"{folder}/package.json" not in files:
        return
    chosen = json.loads(files[f"{folder}/package.json"])
    for name in sorted(chosen["dependencies"].keys() ^ CONSOLE_PACKAGES):
        yield breach(f"{folder}/package.json", 1, f"{name}: the direct dependencies are those of "
                     "CONSOLE_PACKAGES in tidy.py")
    for name, version in sorted({**chosen["dependencies"], **chosen["devDependencies"]}.items()):
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            yield breach(f"{folder}/package.json", 1, f"{name} {version}: name one version")
    lock = json.loads(files[f"{folder}/package-lock.json"])
    for place, package in sorted(lock["packages"].items()):
        if place and not package.get("dev") and package.get("license") not in CONSOLE_LICENCES:
            yield breach(f"{folder}/package-lock.json", 1,
                         f"{place}: its licence is {package.get('license')}")
        if "resolved" in package:
            yield breach(f"{folder}/package-lock.json", 1,
                         f"{place}: names a host: npm install with this folder's .npmrc")


def include_style(files):
    """#pragma once; ours and other people's libraries in quotes and from the root, the system's in
    angle brackets. A source includes its own header first, so that it is self-contained."""
    for path, text in cpp_files(files):
        if path.endswith(".h"):
            code = [line for line in code_only(text).splitlines() if line.strip()]
            if not code or code[0].strip() != "#pragma once":
                yield breach(path, 1, "a header begins with #pragma once")
        own = re.sub(r"\.cc$", ".h", path)
        if own != path and own in files and next(includes(text), (0, "", ""))[2] != own:
            yield breach(path, 1, f"include {own} first")
        for number, bracket, included in includes(text):
            if bracket == "<":
                if not SYSTEM_INCLUDE.match(included):
                    yield breach(path, number, f'write #include "{included}": angle brackets are '
                                 "for the system's headers")
            elif included.startswith(("libs/", "services/", "tests/")):
                if included not in files:
                    yield breach(path, number, f"{included} does not exist")
            elif included.startswith("rapport/"):
                proto = "proto/" + re.sub(r"\.pb\.h$", ".proto", included)
                if proto not in files:
                    yield breach(path, number, f"{proto} does not exist")
            elif f"{PurePosixPath(path).parent}/{included}" in files or ".." in included:
                yield breach(path, number, f"write the path from the root: {included}")


def declared(files):
    """Of what precompiled headers bring to every source, each file includes what it names, or files
    of ours that do."""
    reached = {}

    def reach(path):
        """What the file includes, directly or by files of ours."""
        if path not in reached:
            reached[path] = found = set()
            for _, _, target in includes(files.get(path, "")):
                found.add(target)
                found |= reach(target)
                if target.startswith("rapport/"):
                    found |= {"string", "google/protobuf/message.h"}
                for extra in ALSO_DECLARES.get(target, ()):
                    found |= {extra} | set(ALSO_DECLARES.get(extra, ()))
                if target.startswith("absl/strings/"):
                    found |= {"absl/strings/string_view.h", "string"}
        return reached[path]

    for path, text in cpp_files(files):
        code = code_only(text)
        for header, names in DECLARED_IN.items():
            if (match := re.search(names, code)) and header not in reach(path):
                line = code.count("\n", 0, match.start()) + 1
                yield breach(path, line, f"{match[0]} comes from {header}: include it")


NAMESPACE = re.compile(r"(?:inline )?namespace ?([\w:]*) ?\{")
TYPE = re.compile(r"(?:class|struct|union|enum(?: class)?) (?:\[\[\w+\]\] )?(\w+)(?: final)?"
                  r"(?: :[^:].*|\s*\{.*|)$")


def one_definition(files):
    """A type is defined in one file: of two with one name in one binary, the linker keeps one, and
    objects of the other are treated as if they were of it."""
    where = {}
    for path, text in cpp_files(files):
        inside = []
        lines = zip(text.split("\n"), code_only(text).split("\n"))
        for number, (line, code) in enumerate(lines, 1):
            if match := NAMESPACE.match(code):
                inside.append(match[1])
            elif line.startswith("}  // namespace"):
                inside = inside[:-1]
            elif "" not in inside and (match := TYPE.match(code)):
                name = "::".join([*inside, match[1]])
                first = where.setdefault(name, path)
                if first != path:
                    yield breach(path, number, f"{name} is defined in {first}, too")


def size_and_space(files):
    """Short files and lines, no tabs, no space at the end of lines, a newline at the end."""
    for path, text in sorted(files.items()):
        if not (is_cpp(path) or is_script(path, text) or path.endswith((".proto", ".cmake"))):
            continue
        count = len(text.splitlines())
        if count > MAX_FILE_LINES:
            yield breach(path, count, f"{count} lines; at most {MAX_FILE_LINES}")
        if re.fullmatch(r"services/\w+/main\.cc", path) and count > MAX_MAIN_LINES:
            yield breach(path, count, f"main is a parts list of at most {MAX_MAIN_LINES} lines, "
                         f"not {count}")
        if text and not text.endswith("\n"):
            yield breach(path, count, "no newline at the end")
        for number, line in lines_of(text):
            if len(line) > MAX_COLUMNS and "://" not in line:
                yield breach(path, number, f"{len(line)} columns; at most {MAX_COLUMNS}")
            if line != line.rstrip():
                yield breach(path, number, "space at the end of the line")
            if "\t" in line:
                yield breach(path, number, "a tab")


RULES = [layers, seams, purity, top_level, leftovers, unwanted_types, dead_files, readmes,
         console_packages, include_style, declared, one_definition, size_and_space]


def read_repository(root):
    """Every text file as {path from the root: text}; build trees and git's own files left out."""
    files = {}
    for folder, names, leaves in os.walk(root):
        names[:] = [name for name in names
                    if name not in (".git", ".build", "__pycache__", "node_modules")]
        for leaf in leaves:
            full = os.path.join(folder, leaf)
            path = os.path.relpath(full, root)
            if path == ".git" or os.path.islink(full):
                continue
            with open(full, "rb") as file:
                data = file.read()
            files[path] = "" if b"\0" in data else data.decode("utf-8", errors="replace")
    return files


def check(files):
    return [found for rule in RULES for found in rule(files)]


def main():
    if len(sys.argv) != 2:
        sys.exit("Usage: tidy.py ROOT")
    files = read_repository(sys.argv[1])
    found = check(files)
    for line in found:
        print(line)
    print(f"{len(files)} files, {len(RULES)} rules, {len(found)} breaches")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
