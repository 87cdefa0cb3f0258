"""Runs smpctl.exe over COM ports under Wine: whole updates and what goes wrong with them, as a user would see it."""

import argparse
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback

from windows import Adapter, Windows

IMAGE = "app-2.0.0.bin"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def ok(result, *wanted):
    """Checks the exit code 0 and that each text is there; returns the result."""
    return ends(result, 0, *wanted)


def ends(result, code, *wanted):
    missing = [w for w in wanted if not re.search(w, result.out + result.err, re.M)]
    if result.code != code or missing:
        raise AssertionError(f"want exit code {code} and {missing or 'no more'}; got {result}")
    return result


def attached(w, com="COM7", *args):
    board = w.board(*args)
    w.link(com, board.link)
    return board


@scenario
def version(w):
    "version"
    ok(w.run("version"), r"windows[ /]amd64|smpctl")


@scenario
def inspect(w):
    "inspect of a path with backslashes"
    ok(w.run("inspect", w.native(IMAGE)), r"2\.0\.0", r"f79c4a65")
    ends(w.run("inspect", w.native("nosuch.bin")), 6, r"nosuch\.bin: no such file or directory$")


@scenario
def asked(w):
    "image list, info"
    attached(w)
    ok(w.run("-p", "COM7", "image", "list"), r"version: 1\.0\.0")
    ok(w.run("-p", "COM7", "info"), r"1\.0\.0")


@scenario
def names(w):
    r"COM22, \\.\COM22, com22, com3, \\.\com3"
    attached(w, "COM22")
    attached(w, "COM3")
    for name in ("COM22", r"\\.\COM22", "com22", "com3", r"\\.\com3"):
        ok(w.run("-p", name, "echo", "hello"), "^hello$")


@scenario
def upgrade(w):
    "upgrade, over a reset"
    attached(w)
    ok(w.run("-p", "COM7", "upgrade", IMAGE), r"^updated 1\.0\.0.* -> 2\.0\.0.*, confirmed$")
    ok(w.run("-p", "COM7", "image", "list"), r"slot=0\n    version: 2\.0\.0")


@scenario
def ports(w):
    "ports of a composite device: facts from its parent"
    w.plug("COM7", "E6633861A34B")
    w.plug("COM8", "E6633861A34B", interface=2)
    found = {p["port"]: p for p in json.loads(ok(w.run("ports", "--json")).out)["ports"]}
    for com, number in (("COM7", 0), ("COM8", 2)):
        want = {"usb": True, "vid": "2fe3", "pid": "0004", "serial": "E6633861A34B", "product": "CDC ACM sample",
                "interface": number}
        got = {k: found.get(com, {}).get(k) for k in want}
        if got != want:
            raise AssertionError(f"{com}: got {got}, want {want}")


@scenario
def addresses(w):
    "usb:serial=, usb:VID:PID with if=, usb:location="
    attached(w, "COM7")
    attached(w, "COM8")
    for address in ("usb:serial=e6633861a34b,if=0", "usb:2fe3:0004:E6633861A34B,if=2"):
        ok(w.run("-p", address, "echo", "hello"), "^hello$")
    place = {p["port"]: p.get("location") for p in json.loads(w.run("ports", "--json").out)["ports"]}["COM8"]
    if place:
        ok(w.run("-p", f"usb:location={place}", "echo", "hello"), "^hello$")
    ends(w.run("-p", "usb:serial=nobody", "--wait", "0", "echo", "hello"), 3, "COM7")
    ends(w.run("-p", "usb:serial=E6633861A34B", "--wait", "0", "echo", "x"), 3, "2 ports match: COM7, COM8")


@scenario
def by_serial(w):
    "upgrade by usb:serial="
    attached(w)
    ok(w.run("-p", "usb:serial=E6633861A34B,if=0", "upgrade", IMAGE), r"^updated .*, confirmed$")


@scenario
def at_once(w):
    "two upgrades at once"
    attached(w, "COM4")
    attached(w, "COM5")
    running = [w.start("-p", com, "upgrade", IMAGE) for com in ("COM4", "COM5")]
    for process in running:
        ok(w.finish(process), r"^updated 1\.0\.0.* -> 2\.0\.0.*, confirmed$")


def until(process, pattern):
    """Reads standard error of a command until a line shows a pattern; returns what was read."""
    text = ""
    for line in process.stderr:
        text += line
        if re.search(pattern, line):
            return text
    raise AssertionError(f"no {pattern} in:\n{text}")


@scenario
def unplugged(w):
    "adapter unplugged in the middle for good; later the same command goes on"
    adapter = Adapter(w, "--baud", "57600")
    w.link("COM7", adapter.link)
    process = w.start("-p", "COM7", "--json", "--wait", "3", "--window", "1", "image", "upload", IMAGE)
    until(process, r'"done":[0-9]{4}')
    adapter.unplug()
    ends(w.finish(process), 4, '"kind":"no-reply"')
    adapter.open()
    again = json.loads(ok(w.run("-p", "COM7", "--json", "image", "upload", IMAGE)).out)
    if not again["resumed_from"] > 0:
        raise AssertionError(f"not resumed: {again}")


@scenario
def replugged(w):
    "board unplugged in the middle of an upgrade, and in again while it waits"
    board = attached(w, "COM7", "--baud", "57600")
    process = w.start("-p", "COM7", "upgrade", IMAGE)
    until(process, r"^upload .*%")
    board.close()
    until(process, "waiting for the device")
    board.open()
    ok(w.finish(process), r"^updated 1\.0\.0.* -> 2\.0\.0.*, confirmed$")


@scenario
def renamed(w):
    "another COM number after the reset (COM7, then COM12)"
    board = attached(w, "COM7", "--recovery-window", "4s")
    process = w.start("-p", "usb:serial=E6633861A34B,if=0", "upgrade", IMAGE)
    text = until(process, r"^reset ")
    w.link("COM7", None)
    w.link("COM12", board.link)
    w.plug("COM12", "E6633861A34B")
    ended = w.finish(process)
    w.plug("COM7", "E6633861A34B")
    ended.err = text + ended.err
    ok(ended, r"^updated 1\.0\.0.* -> 2\.0\.0.*, confirmed$")


@scenario
def as_json(w):
    "--json: result and events"
    attached(w)
    got = ok(w.run("-p", "COM7", "--json", "upgrade", IMAGE))
    result = json.loads(got.out)
    events = [json.loads(line) for line in got.err.splitlines()]
    if result.get("result") != "confirmed" or not any(e.get("event") == "progress" for e in events):
        raise AssertionError(str(got))


@scenario
def traced(w):
    "--trace to a file"
    attached(w)
    ok(w.run("-p", "COM7", "--trace", w.native("trace.txt"), "echo", "hello"))
    with open(w.path("trace.txt"), "rb") as f:
        text = f.read()
    if b"echo" not in text or b"\r" in text:
        raise AssertionError(f"trace: {text[:300]}")


@scenario
def wrong(w):
    r"wrong names: COM99, C:\x, NUL, frob:COM7"
    ends(w.run("-p", "COM99", "--wait", "0", "echo", "x"), 3, "^smpctl: open COM99: there is no such port$", "^hint: ")
    ends(w.run("-p", r"C:\x", "--wait", "0", "echo", "x"), 3, r"^smpctl: open C:\\x: there is no such port$")
    ends(w.run("-p", "NUL", "--wait", "0", "echo", "x"), 3, "^smpctl: open NUL: not a serial port")
    ends(w.run("-p", "frob:COM7", "echo", "x"), 2, "unknown kind frob:")


@scenario
def virtual(w):
    r"sim:C:\flash.bin keeps what it has; a second device on it is refused"
    address = r"sim:C:\flash.bin"
    ok(w.run("-p", address, "upgrade", IMAGE), r", confirmed$")
    ok(w.run("-p", address, "image", "list"), r"slot=0\n    version: 2\.0\.0")
    holder = w.start("sim", "--tcp", "127.0.0.1:0", "--flash", r"C:\flash.bin")
    try:
        until(holder, "serving")
        ends(w.run("-p", address, "echo", "x"), 3, "in use by another program")
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()


@scenario
def files(w):
    "files: replaced whole, reserved names, a folder"
    for _ in range(2):
        ok(w.run("package", "build", "-o", w.native("one.zip"), IMAGE))
    ends(w.run("inspect", "NUL"), 6, "^smpctl: NUL: ")
    ends(w.run("inspect", "CON"), 6, "^smpctl: CON: ")
    left = [f for f in os.listdir(w.folder) if f.endswith(".tmp")]
    if left:
        raise AssertionError(f"left behind: {left}")


@scenario
def children(w):
    "exec: signers and checks run by cmd"
    attached(w)
    ok(w.run("-p", "COM7", "upgrade", IMAGE, "--check", "ver"), r", confirmed$")
    ends(w.run("-p", "COM7", "upgrade", "app-3.0.0.bin", "--check", r".\nosuch.bat"), 2, "there is no such file")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wine", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    for name in (IMAGE, "app-3.0.0.bin"):
        shutil.copy(os.path.join(root, "testdata", name), options.folder)
    rows, failed = [], 0
    for function in SCENARIOS:
        if options.scenarios and function.__name__ not in options.scenarios:
            continue
        passed, seconds = attempt(function, Windows(options.wine, options.folder))
        failed += not passed
        rows.append((function.__name__, function.__doc__, "yes" if passed else "NO", seconds))
    if not rows:
        sys.exit(f"no such scenario; there are {', '.join(f.__name__ for f in SCENARIOS)}")
    print(f"\n{'scenario':12}{'what':72}{'passed':>7}{'seconds':>8}")
    for name, what, passed, seconds in rows:
        print(f"{name:12}{what:72}{passed:>7}{seconds:8.1f}")
    sys.exit(1 if failed else 0)


def attempt(function, windows):
    began = time.monotonic()
    try:
        function(windows)
        return True, time.monotonic() - began
    except Exception:  # whatever it is, the other scenarios count too
        print(f"--- {function.__name__}")
        traceback.print_exc(limit=-2, file=sys.stdout)
        return False, time.monotonic() - began
    finally:
        windows.close()


main()
