"""One PC with boards in its USB ports: its root file system, its adapters, and QEMU."""

import argparse
import contextlib
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from kernel import Kernel, LabError, find_program

GUEST = Path(__file__).resolve().parent / "guest"

MOST_PORTS = 8  # of the kernel's gadget serial driver (MAX_U_SERIAL_PORTS), for all boards together

# What a board can have on USB: the driver of the board's side, and those of the PC's side.
FUNCTIONS = {
    "acm": ["usb_f_acm", "cdc-acm"],
    "ecm": ["usb_f_ecm", "cdc_ether"],
    "hid": ["usb_f_hid", "usbhid", "hid-generic"],
}

# Without delays that guard against hardware or attackers.
KERNEL_OPTIONS = (
    "console=ttyS0 quiet panic=-1 nokaslr mitigations=off audit=0 apparmor=0 random.trust_cpu=on "
    "tsc=reliable no_timer_check rcupdate.rcu_expedited=1 cryptomgr.notests=1"
)

# The guest's clock counts instructions: 4 ns each. So the guest is as fast on a busy machine as on an idle one, its
# time-outs never come early, and waiting costs nothing, because the clock moves on when all of the guest sleeps.
COUNTED = ["-accel", "tcg,thread=single", "-rtc", "clock=vm"]
SHIFT = 2


def run_guest(args: argparse.Namespace, kernel: Kernel, script: Path | None, work: Path,
              output: IO | None = None) -> int | None:
    """Boots a guest for a script, or for a shell without one. The result is the script's exit code, or None if it
    took too long."""
    check(args)
    with contextlib.ExitStack() as stack:
        adapters = [stack.enter_context(adapter(end, args.smpctl)) for end in args.adapters]
        initrd = build_initrd(work, args, kernel, script)
        console = args.console or work / "console"
        command = qemu_command(args, kernel, initrd, console, adapters)
        if not boot(command, args.timeout if script else None, output):
            return None
        # The guest's first program says there how the script ended.
        said = console.read_text(errors="replace")
        ended = re.search(r"^lab: exit (\d+)\r?$", said, re.MULTILINE)
        if not ended:
            last = "\n".join(said.splitlines()[-15:])
            raise LabError(f"the guest ended before the script did; its last words:\n{last}")
        return int(ended[1])


def check(args: argparse.Namespace) -> None:
    unknown = [name for name in functions(args) if name not in FUNCTIONS]
    if unknown:
        raise LabError(f"--functions: {unknown[0]} is none of {', '.join(FUNCTIONS)}")
    if not 0 <= args.boards * functions(args).count("acm") <= MOST_PORTS or not functions(args).count("acm"):
        raise LabError(f"{args.boards} boards with {args.functions}: a board needs a serial port (acm), "
                       f"and the kernel has {MOST_PORTS} for all together")


def functions(args: argparse.Namespace) -> list[str]:
    return args.functions.split(",")


def qemu_command(args: argparse.Namespace, kernel: Kernel, initrd: Path, console: Path,
                 adapters: list[str]) -> list[str]:
    typed = "off" if args.command == "shell" else "on"  # whether Ctrl-C ends QEMU or is for the shell
    command = [
        find_program("qemu-system-x86_64"), *accelerator(args), "-cpu", "max",
        "-smp", str(args.cpus), "-m", str(args.memory),
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-kernel", str(kernel.image), "-initrd", str(initrd), "-append", KERNEL_OPTIONS,
        "-serial", f"file:{console}",  # ttyS0: the kernel
        "-chardev", f"stdio,id=script,signal={typed}", "-serial", "chardev:script",  # ttyS1
    ]
    if adapters:
        command += ["-device", "qemu-xhci"]
    for i, end in enumerate(adapters):
        command += ["-chardev", f"{end},id=adapter{i}"]
        command += ["-device", f"usb-serial,chardev=adapter{i},serial=ADAPTER{i + 1}"]
    return command


def accelerator(args: argparse.Namespace) -> list[str]:
    if args.accel:
        return ["-accel", args.accel]
    # The other end of an adapter lives in the time of this machine, and so does who types.
    sleep = "on" if args.adapters or args.command == "shell" else "off"
    return [*COUNTED, "-icount", f"shift={SHIFT},sleep={sleep}"]


running: set[subprocess.Popen] = set()  # guests that are switched on


def end_all() -> None:
    """Switches all guests off, from another thread than theirs."""
    for guest in list(running):
        guest.kill()


def boot(command: list[str], timeout: float | None, output: IO | None) -> bool:
    """Runs QEMU until the guest switches itself off, and reports whether it did in time."""
    guest = subprocess.Popen(command, stdin=None if timeout is None else subprocess.DEVNULL,
                             stdout=output, stderr=subprocess.STDOUT if output else None)
    running.add(guest)
    try:
        code = guest.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    finally:
        running.discard(guest)
        guest.kill()
        guest.wait()
    if code:
        raise LabError(f"QEMU failed with exit code {code}")
    return True


# --- Adapters ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def adapter(end: str, smpctl: Path) -> Iterator[str]:
    """Gives QEMU's name for the other end of a USB-UART adapter, and ends what was started for it."""
    if end == "sim":
        with virtual_uart(smpctl) as address:
            yield socket_to(address)
    elif end.startswith("tcp:"):
        yield socket_to(end)
    elif Path(end).is_char_device():
        yield f"serial,path={Path(end).resolve()}"
    else:
        raise LabError(f"--adapter {end}: want sim, tcp:HOST:PORT, or a tty that exists")


def socket_to(address: str) -> str:
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    if not host or not port.isdecimal():
        raise LabError(f"--adapter {address}: want tcp:HOST:PORT")
    return f"socket,host={host},port={port}"


@contextlib.contextmanager
def virtual_uart(smpctl: Path) -> Iterator[str]:
    """Runs a virtual device behind a UART of 115200 baud on this machine, and gives its address."""
    command = [smpctl.resolve(), "sim", "--tcp", "127.0.0.1:0", "--baud", "115200", "--json"]
    device = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        ready = device.stderr.readline()
        try:
            address = json.loads(ready)["port"]
        except (ValueError, KeyError):
            raise LabError(f"--adapter sim: {smpctl} says: {ready.strip()}") from None
        yield address
    finally:
        device.kill()
        device.communicate()


# --- Root file system ----------------------------------------------------------------------------------------


def build_initrd(work: Path, args: argparse.Namespace, kernel: Kernel, script: Path | None) -> Path:
    root = work / "root"
    shutil.copytree(GUEST, root)
    for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "root"):
        (root / folder).mkdir()
    add_modules(root / "lab" / "modules", kernel, args)
    add_program(root, find_program("busybox"))
    add_program(root, args.smpctl, "smpctl")
    for name in args.programs:
        add_program(root, find_program(name))
    for file in args.files:
        if not file.is_file():
            raise LabError(f"--file {file}: no such file")
        shutil.copy(file, root / "root")
    if script:
        shutil.copy(script, root / "lab" / "script")
    config = {"BOARDS": args.boards, "FUNCTIONS": " ".join(functions(args)), "ADAPTERS": len(args.adapters),
              "SIM": args.sim}
    lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in config.items()]
    (root / "lab" / "config").write_text("".join(lines))
    return archive(root, work / "initrd")


def add_modules(folder: Path, kernel: Kernel, args: argparse.Namespace) -> None:
    """Adds the drivers, and a list of them with their parameters in the order in which they are loaded."""
    high = "Y" if args.speed == "high" else "N"
    wanted = {"usbmon": "", "libcomposite": "", "dummy_hcd": f"num={MOST_PORTS} is_high_speed={high}"}
    for name in functions(args):
        wanted |= dict.fromkeys(FUNCTIONS[name], "")
    if args.adapters:
        wanted |= {"xhci-pci": "", "ftdi_sio": ""}
    folder.mkdir()
    with (folder / "order").open("w") as order:
        for name in kernel.load_order(list(wanted)):
            shutil.copy(kernel.module(name), folder)
            print(kernel.module(name).name, wanted.get(name, ""), file=order)


def add_program(root: Path, program: Path, name: str = "") -> None:
    """Adds a program and the libraries it is linked with."""
    shutil.copy(program, root / "bin" / (name or program.name))
    answer = subprocess.run([find_program("ldd"), program], capture_output=True, text=True)
    for library in re.findall(r"(/\S+) \(0x", answer.stdout):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def archive(root: Path, file: Path) -> Path:
    """Packs a folder as the kernel wants it, everything owned by root."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    command = [find_program("cpio"), "-o", "-H", "newc", "-R", "0:0", "--quiet"]
    with file.open("wb") as output:
        subprocess.run(command, cwd=root, input="\n".join(names).encode(), stdout=output, check=True)
    return file
