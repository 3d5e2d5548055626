#!/usr/bin/env python3
"""Holds a running Rapport against the document of its interface, /openapi.json: schemathesis makes
requests of it, valid ones and invalid ones, and looks at the answers.

Usage: check.py RAPPORT LINTERS ROOT, where RAPPORT is the binary, LINTERS the folder that
tests/deploy/fetch.sh has filled and ROOT the top of the checkout. Prints each request whose answer
is another than the document says, with a command that sends it again, and fails if there was one.
"""

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

UP = re.compile(r"Rapport is up at (\S+)")


def start(rapport, data, log):
    """`rapport up` on a free port of this machine, and its address."""
    process = subprocess.Popen(
        [rapport, "up", "--listen", "127.0.0.1:0", "--data", data],
        stdout=subprocess.PIPE, stderr=log, text=True)
    for line in process.stdout:
        if found := UP.match(line):
            return process, found.group(1)
    sys.exit("rapport up did not start")


def main():
    rapport, linters, root = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "log", "w+") as log:
        data = f"{folder}/data"
        subprocess.run(
            [rapport, "import", "--data", data, f"{root}/deploy/import/story.ndjson.gz"],
            check=True, stdout=subprocess.DEVNULL)
        process, address = start(rapport, data, log)
        try:
            result = subprocess.run(
                [f"{linters}/venv/bin/schemathesis",
                 "--config-file", f"{root}/tests/contract/schemathesis.toml",
                 "run", f"{address}/openapi.json", "--url", address],
                cwd=folder, check=False)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait()
        if code != 0:
            log.seek(0)
            sys.exit(f"rapport up ended with {code}:\n{log.read()}")
        sys.exit(result.returncode)


if __name__ == "__main__":
    main()
