"""Runs the tests of all packages for Windows under Wine, and holds what fails against cannot.txt.

What is not in that list has to pass. A line of it whose test passes, or is not there any more, is an error too. A test
that fails unexpectedly is run once more by itself, for Wine now and then does not start a program on a busy machine;
that it took a second run is said.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import time

MODULE = "github.com/smpctl/smpctl"
LIMIT = int(os.environ.get("WINE_SECONDS", "400"))  # seconds for all of it
HERE = os.path.dirname(os.path.abspath(__file__))


def expected():
    """Returns {(package, test): (how, reason)}."""
    lines = {}
    with open(os.path.join(HERE, "cannot.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            fields = line.split(None, 3)
            if len(fields) != 4 or fields[2] not in ("fails", "hangs"):
                sys.exit(f"cannot.txt:{number}: want PACKAGE TEST fails|hangs REASON")
            lines[fields[0], fields[1]] = tuple(fields[2:])
    return lines


class Run:
    """One go test -json: results of tests, output of what failed, seconds of packages."""

    def __init__(self, options, skip, packages, deadline, only=None):
        self.results, self.output, self.packages = {}, collections.defaultdict(list), {}
        command = ["timeout", "-k", "10", str(max(10, int(deadline - time.monotonic()))),
                   "go", "test", "-json", "-p", "2", "-vet=off", "-count=1", "-trimpath", "-timeout", f"{LIMIT}s",
                   "-ldflags=-checklinkname=0", "-modfile", options.modfile, "-overlay", options.overlay,
                   "-exec", f"timeout -k 5 {LIMIT} {options.exec}"]
        command += ["-skip", skip] if skip else []
        command += ["-run", only] if only else []
        environment = dict(os.environ, GOOS="windows", GOARCH="amd64", CGO_ENABLED="0")
        with subprocess.Popen(command + packages, env=environment, stdout=subprocess.PIPE, text=True,
                              errors="replace") as go:
            for line in go.stdout:
                self.take(line)
        self.code = go.returncode

    def take(self, line):
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end="")  # of the compiler
            return
        package = event.get("Package", event.get("ImportPath", "")).split(" ")[0]
        package = package.removeprefix(MODULE).strip("/") or "."
        key = package, event.get("Test", "")
        match event["Action"]:
            case "output" | "build-output":
                self.output[key].append(event["Output"])
            case "pass" | "fail" | "skip" as result if key[1]:
                self.results[key] = result
            case "pass" | "fail" | "skip" as result:
                self.packages[package] = result, event.get("Elapsed", 0)
                if any(p == package for p, _ in self.results):
                    print(f"{package} {event.get('Elapsed', 0):.0f} s", flush=True)

    def failures(self):
        """Returns tests that failed by themselves, not through a part of them."""
        failed = {key for key, result in self.results.items() if result == "fail"}
        return {(p, t) for p, t in failed if not any(q == p and u.startswith(t + "/") for q, u in failed)}


def covers(listed, key):
    return key[0] == listed[0] and (key[1] == listed[1] or key[1].startswith(listed[1] + "/"))


def exists(package, test):
    """Tells whether a test that is not run is there, by its name in the source."""
    name = test.split("/")[0]
    folder = os.path.join(HERE, "..", "..", package)
    files = (os.path.join(folder, f) for f in os.listdir(folder) if f.endswith("_test.go"))
    return any(re.search(rf"^func {name}\(", open(f, encoding="utf-8").read(), re.M) for f in files)


def show(run, key):
    print(f"--- {' '.join(key)}")
    print("".join(run.output[key])[-3000:])


def is_listed_version(options):
    """Tells whether this is the Wine that cannot.txt speaks of: another may be able to do more."""
    said = subprocess.run([options.exec, "--version"], capture_output=True, text=True, check=False).stdout
    print(f"{said.strip()}; cannot.txt is about wine-8")
    return said.startswith("wine-8.")


def judge(run, again, listed, asked, strict):
    """Prints what is wrong and returns how much that is."""
    wrong = 0
    for key in sorted(run.failures()):
        if any(covers(l, key) for l in listed):
            continue
        if again.results.get(key) == "pass":
            print(f"second run  {' '.join(key)}")
            continue
        wrong += 1
        show(again if key in again.results else run, key)
    for package, (result, _) in sorted(run.packages.items()):
        if result == "fail" and not any(p == package for p, _ in run.failures()):
            wrong += 1
            show(run, (package, ""))
    for (package, test), (how, _) in sorted(listed.items()):
        if asked and package not in asked:
            continue
        state = run.results.get((package, test))
        if how == "hangs" and exists(package, test) or how == "fails" and state == "fail":
            continue
        wrong += strict
        print(f"cannot.txt: {package} {test} {'is not there' if state is None else 'does not fail: ' + state}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    for name in ("--exec", "--modfile", "--overlay"):
        parser.add_argument(name, required=True)
    parser.add_argument("packages", nargs="*")
    options = parser.parse_args()
    deadline = time.monotonic() + LIMIT
    asked = [p.removeprefix("./").rstrip("/") for p in options.packages]
    listed = expected()
    hanging = [test for (_, test), (how, _) in listed.items() if how == "hangs"]
    skip = "|".join(f"^{t}$" for t in hanging)
    run = Run(options, skip, [f"./{p}" for p in asked] or ["./..."], deadline)
    if not run.packages:
        sys.exit("no package was tested")
    again = rerun(options, run, listed, deadline)
    wrong = judge(run, again, listed, asked, is_listed_version(options))
    report(run, listed, asked)
    if run.code == 124:
        print(f"the tests took longer than {LIMIT} s")
        wrong += 1
    sys.exit(1 if wrong else 0)


def rerun(options, run, listed, deadline):
    """Runs what failed unexpectedly once more, if that is not much."""
    odd = [key for key in run.failures() if not any(covers(l, key) for l in listed)]
    again = Run.__new__(Run)
    again.results, again.output = {}, collections.defaultdict(list)
    if len(odd) > 10:
        return again
    for package, test in odd:
        only = "/".join(f"^{re.escape(part)}$" for part in test.split("/"))
        second = Run(options, "", [f"./{package}"], deadline, only)
        again.results |= second.results
        again.output |= second.output
    return again


def report(run, listed, asked):
    counts = collections.defaultdict(collections.Counter)
    for (package, _), result in run.results.items():
        counts[package][result] += 1
    skipped = sorted(key for key, result in run.results.items() if result == "skip")
    print(f"\n{len(skipped)} tests that are not for Windows, as they say themselves:")
    for key in skipped:
        said = [l.strip() for l in run.output[key] if not re.match(r"\s*(===|---)", l)]
        print("  " + " ".join(key) + ("  " + said[-1] if said else ""))
    mine = {k: v for k, v in listed.items() if not asked or k[0] in asked}
    print(f"\n{len(mine)} tests that cannot run under Wine:")
    for (package, test), (how, reason) in mine.items():
        print(f"  {package} {test} {how}: {reason}")
    print(f"\n{'package':44}{'passed':>7}{'failed':>7}{'skipped':>8}{'seconds':>8}")
    for package, (_, seconds) in sorted(run.packages.items()):
        if counts[package]:
            c = counts[package]
            print(f"{package:44}{c['pass']:7}{c['fail']:7}{c['skip']:8}{seconds:8.1f}")


main()
