#!/usr/bin/env python3
"""Checks what cannot be run where the tests run: units, images, manifests, dashboards.

Usage: check.py ROOT LINTERS, where LINTERS is the folder that fetch.sh has filled. Prints each
finding and fails if there was one.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def run(what, *command):
    """True when the command ends well; else tells what it said."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(f"{what}:\n{result.stdout}{result.stderr}")
    return result.returncode == 0


def units(root, _):
    """systemd reads the units as they are installed, with a program that exists."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for unit in sorted((root / "deploy/systemd").glob("*.service")):
            name = unit.name.replace("rapport-service@", "rapport-retention@1")
            text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
            path = Path(folder) / name
            path.write_text(text)
            paths.append(str(path))
        return run("systemd units", "systemd-analyze", "verify", *paths)


def image(root, linters):
    # DL3008: versions are Debian's business; DL3066: the user has a name on purpose.
    return run("Dockerfile", linters / "hadolint", "--ignore", "DL3008", "--ignore", "DL3066",
               root / "deploy/docker/Dockerfile")


def compose(root, linters):
    return run("compose.yaml", linters / "check-jsonschema", "--builtin-schema",
               "vendor.compose-spec", root / "deploy/docker/compose.yaml")


def manifests(root, linters):
    files = [path for path in sorted((root / "deploy/kubernetes").glob("*.yaml"))
             if path.name != "kustomization.yaml"]
    listed = set(re.findall(r"^  - (\S+\.yaml)$",
                            (root / "deploy/kubernetes/kustomization.yaml").read_text(), re.M))
    complete = listed == {path.name for path in files}
    if not complete:
        print(f"kustomization.yaml lists {sorted(listed)}, and there are {[p.name for p in files]}")
    valid = run("Kubernetes manifests", linters / "kubernetes-validate", "--strict", *files)
    return valid and complete


def exported_metrics(root):
    """Names of metrics as they stand in the sources."""
    names = set()
    for folder in ("libs", "services"):
        for path in (root / folder).rglob("*.cc"):
            names.update(re.findall(r'"(rapport_[a-z_]+)"', path.read_text()))
    return names


def metrics(root, _):
    """Every metric that a dashboard or a rule asks for is one that some service has."""
    exported = exported_metrics(root)
    fine = True
    for path in (root / "deploy/grafana/rapport.json", root / "deploy/prometheus/rules.yaml"):
        text = path.read_text()
        for name in sorted(set(re.findall(r"\brapport_[a-z_]+", text))):
            if name not in exported and re.sub(r"_(bucket|sum|count)$", "", name) not in exported:
                print(f"{path.name}: no service exports {name}")
                fine = False
    json.loads((root / "deploy/grafana/rapport.json").read_text())
    return fine


def rules(root, linters):
    files = [root / "deploy/prometheus/rules.yaml"]
    return run("Prometheus rules", linters / "promtool", "check", "rules", *files)


def main():
    root, linters = Path(sys.argv[1]), Path(sys.argv[2]) / "venv/bin"
    checks = (units, image, compose, manifests, metrics, rules)
    failed = [check.__name__ for check in checks if not check(root, linters)]
    if failed:
        sys.exit("failed: " + ", ".join(failed))


if __name__ == "__main__":
    main()
