"""A PC with boards in its USB ports, without hardware: see README.md beside this file, and `run`, which calls this."""

import argparse
import concurrent.futures
import os
import re
import resource
import shlex
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from guest import end_all, run_guest
from kernel import Kernel, LabError, default_cache, find_kernel, find_program

SCENARIOS = Path(__file__).resolve().parent / "scenarios"

EXIT_FAILED, EXIT_LAB, EXIT_INTERRUPTED = 1, 125, 130


def main() -> int:
    args = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that QEMU ends too
    try:
        if not os.access(args.smpctl, os.X_OK) or args.smpctl.is_dir():
            raise LabError(f"{args.smpctl}: not a program; build it with CGO_ENABLED=0 go build -o smpctl ./cmd/smpctl")
        for program in ("qemu-system-x86_64", "busybox", "cpio", "ldd"):
            find_program(program)
        kernel = find_kernel(args.kernel, args.cache)
        return shell(args, kernel) if args.command == "shell" else run_all(args, kernel)
    except LabError as error:
        print(f"usb lab: {error}", file=sys.stderr)
        return EXIT_LAB
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


# --- Command line --------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    lab = argparse.ArgumentParser(add_help=False)
    add = lab.add_argument
    add("--smpctl", type=Path, metavar="BIN", default=os.environ.get("SMPCTL"),
        help="the client to test, which also plays the boards; default: SMPCTL of the environment")
    add("--boards", type=int, default=1, metavar="N", help="boards on USB, up to 8; default 1")
    add("--functions", default="acm", metavar="LIST",
        help="what each board has on USB, in this order: acm, a serial port, ecm, a network, or hid; "
        "SMP is on the last serial port; default acm")
    add("--speed", choices=["full", "high"], default="full", help="USB speed of the boards; default full")
    add("--sim", default="", metavar="OPTIONS", help="more options of 'smpctl sim' for each board: --sim='--noise'")
    add("--adapter", action="append", default=[], metavar="END", dest="adapters",
        help="add a USB-UART adapter (FTDI) whose other end is tcp:HOST:PORT, a tty of this machine, or 'sim', "
        "a virtual device with a UART of 115200 baud; may be repeated")
    add("--file", action="append", default=[], type=Path, dest="files", help="put FILE into the script's folder; "
        "may be repeated")
    add("--with", action="append", default=[], dest="programs", metavar="PROGRAM",
        help="take PROGRAM of this machine along, such as strace; may be repeated")
    add("--timeout", type=float, default=600, metavar="SECONDS", help="end a guest after this time; default 600")
    add("--console", type=Path, metavar="FILE", help="keep the guest's kernel messages in FILE")
    add("--accel", default="", help="accelerator of QEMU, such as tcg or kvm, in the time of this machine; default: "
        "emulation in a time that counts instructions")
    add("--cpus", type=int, default=1, metavar="N", help="processors of the guest; default 1")
    add("--memory", type=int, default=768, metavar="MB", help="memory of the guest; default 768")
    add("--kernel", default="", metavar="PACKAGE", help="Debian kernel package to boot, a name or a .deb file; "
        "default: the newest in the cache, else what linux-image-amd64 depends on")
    add("--cache", type=Path, default=default_cache(), metavar="FOLDER",
        help="where kernels are kept; default: USB_CACHE of the environment, else %(default)s")

    top = argparse.ArgumentParser(description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", parents=[lab], help="run scenarios, each in a guest of its own",
        description="Run scenarios, each in a guest of its own. Options that one needs may stand in it, in a "
        "line such as '# lab: --boards 2'; those on the command line win.")
    run.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                     help="a name in scenarios/, or the file of a script; default: all that need nothing else")
    run.add_argument("--jobs", type=int, default=int(os.environ.get("USB_JOBS") or os.cpu_count() or 1), metavar="N",
                     help="guests at a time; default: USB_JOBS of the environment, else one for each processor")
    run.add_argument("--verbose", action="store_true", help="show the output of scenarios that passed too")
    commands.add_parser("shell", parents=[lab], help="open a shell in the guest",
                        description="Open a shell in the guest; 'exit' ends both.")
    return top


def parse(argv: list[str]) -> argparse.Namespace:
    args = parser().parse_args(argv)
    args.argv = argv
    if not args.smpctl:
        parser().error("--smpctl is missing")
    return args


def for_script(args: argparse.Namespace, script: Path) -> argparse.Namespace:
    """The options for one script: its own, and on top of them those of the command line."""
    mark = "# lab:"
    lines = script.read_text().splitlines()
    own = [word for line in lines if line.startswith(mark) for word in shlex.split(line.removeprefix(mark))]
    return parse(["run", *own, *args.argv[1:]])


def find_script(name: str) -> Path:
    """A scenario of the lab by its name, or any script by its path."""
    path = Path(name) if "/" in name or name.endswith(".sh") else SCENARIOS / f"{name}.sh"
    if not path.is_file():
        known = " ".join(sorted(file.stem for file in SCENARIOS.glob("*.sh")))
        raise LabError(f"{name}: no such scenario; there are {known}")
    return path


def all_scripts() -> list[Path]:
    """Every scenario that needs nothing but the lab, those that take long first, so that none is left at the end."""
    scripts = [file for file in SCENARIOS.glob("*.sh") if "# by hand:" not in file.read_text()]
    return sorted(scripts, key=lambda file: (-file.stat().st_size, file.name))


# --- Runs ----------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of a scenario."""

    name: str
    code: int | None  # of the script; None: it took too long, or the lab failed
    output: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.code == 0

    @property
    def checks(self) -> str:
        counts = re.search(r"^(\d+) checks, (\d+) failed\r?$", self.output, re.MULTILINE)
        if not counts:
            return "no verdict"
        return f"{counts[1]} checks" + (f", {counts[2]} failed" if counts[2] != "0" else "")

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED'}  {self.name:<14} {self.checks:<22} {self.seconds:4.0f} s"


def shell(args: argparse.Namespace, kernel: Kernel) -> int:
    with tempfile.TemporaryDirectory(prefix="usb-lab-") as work:
        return run_guest(args, kernel, None, Path(work)) or 0


def run_all(args: argparse.Namespace, kernel: Kernel) -> int:
    """Runs the scenarios, some at a time, and says how each went: at once, and in a table at the end."""
    scripts = [find_script(name) for name in args.scenarios] or all_scripts()
    begun = time.monotonic()
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        runs = [pool.submit(run_one, for_script(args, script), kernel, script) for script in scripts]
        try:
            for run in concurrent.futures.as_completed(runs):
                outcomes.append(run.result())
                report(outcomes[-1], args.verbose or len(scripts) == 1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    failed = sum(not outcome.passed for outcome in outcomes)
    print(*["", *sorted(map(str, outcomes), key=lambda line: line.split()[1])], sep="\n")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{len(outcomes) - failed} passed, {failed} failed, {time.monotonic() - begun:.0f} s, "
          f"{used.ru_utime + used.ru_stime:.0f} s of processors")
    return EXIT_FAILED if failed else 0


def run_one(args: argparse.Namespace, kernel: Kernel, script: Path) -> Outcome:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="usb-lab-") as work:
        file = Path(work) / "output"
        error = ""
        with file.open("wb") as output:
            try:
                code = run_guest(args, kernel, script, Path(work), output)
                if code is None:
                    error = f"the scenario did not end within {args.timeout:.0f} s"
            except LabError as failure:
                code, error = None, str(failure)
        said = file.read_text(errors="replace") + (f"\nusb lab: {error}\n" if error else "")
    return Outcome(script.stem, code, said, time.monotonic() - begun)


def report(outcome: Outcome, verbose: bool) -> None:
    if verbose or not outcome.passed:
        print(f"\n----- {outcome.name}\n{outcome.output}\n-----")
    print(outcome, flush=True)


if __name__ == "__main__":
    sys.exit(main())
