"""A Windows of Wine's with COM ports that lead to virtual devices of smpctl sim on the Linux side."""

import os
import re
import select
import signal
import socket
import subprocess
import threading
import time
import tty

LIMIT = 60  # seconds of one command
ENUM = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Enum"
PARENT = "{4340A6C5-93FA-4706-972C-7B648008A5A7}\\0008"
REPORTED = "{540B947E-8B40-45BC-A8A2-6A0B894CBDA2}\\0004"


class Result:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def __str__(self):
        return f"exit code {self.code} after {self.seconds:.1f} s\n{self.out}{self.err}"


class Windows:
    def __init__(self, wine, folder):
        self.wine, self.folder, self.boards = wine, folder, []
        self.dos = os.path.join(os.environ["WINEPREFIX"], "dosdevices")
        self.number = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def native(self, name):
        """Returns a file of the folder as Windows names it."""
        return "Z:" + self.path(name).replace("/", "\\")

    def start(self, *args):
        command = ["timeout", "-k", "5", str(LIMIT), self.wine, self.path("smpctl.exe"), *args]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                cwd=self.folder, start_new_session=True)

    def finish(self, process):
        began = time.monotonic()
        out, err = process.communicate(timeout=LIMIT + 10)
        out, err = (text.replace("\r\n", "\n") for text in (out, err))
        return Result(process.returncode, out, err, time.monotonic() - began)

    def run(self, *args):
        return self.finish(self.start(*args))

    def board(self, *args):
        board = Board(self, *args)
        self.boards.append(board)
        return board

    def link(self, com, target):
        """Makes COM22 lead to a terminal, or to nothing."""
        name = os.path.join(self.dos, com.lower())
        if os.path.lexists(name):
            os.remove(name)
        if target:
            os.symlink(target, name)

    def plug(self, com, serial, interface=0, product="CDC ACM sample", replug=""):
        """Has SetupAPI list a port of a composite device, as usbser.sys does, in place of an earlier one."""
        device = rf"USB\VID_2FE3&PID_0004\{serial}"
        function = rf"USB\VID_2FE3&PID_0004&MI_{interface:02x}\7&{serial}&0&{interface:04x}"
        place = "PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(%d)" % (len(serial) + interface)
        self.register({
            rf"{ENUM}\{function}": {
                "Class": "Ports", "ClassGUID": "{4d36e978-e325-11ce-bfc1-08002be10318}", "Mfg": "Microsoft",
                "FriendlyName": f"USB Serial Device ({com})", "LocationPaths": [place + f"#USBMI({interface})"],
                "HardwareID": [function.rsplit("\\", 1)[0]],
            },
            rf"{ENUM}\{function}\Device Parameters": {"PortName": com},
            rf"{ENUM}\{function}\Properties\{PARENT}": {"": device.encode("utf-16-le") + b"\0\0"},
            rf"{ENUM}\{device}": {
                "Class": "USB", "ClassGUID": "{36fc9e60-c465-11cf-8056-444553540000}",
                "DeviceDesc": "USB Composite Device", "LocationPaths": [place],
            },
            rf"{ENUM}\{device}\Properties\{REPORTED}": {"": product.encode("utf-16-le") + b"\0\0"},
        })

    def register(self, keys):
        self.number += 1
        file = self.path(f"{self.number}.reg")
        with open(file, "w", encoding="utf-16") as f:
            f.write("Windows Registry Editor Version 5.00\r\n")
            for key, values in keys.items():
                f.write(f"\r\n[{key}]\r\n")
                for name, value in values.items():
                    f.write(f"{quoted(name) if name else '@'}={registered(value)}\r\n")
        subprocess.run(["timeout", "-k", "5", "60", self.wine, "reg", "import", self.native(os.path.basename(file))],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        for board in self.boards:
            board.close()
        for com in os.listdir(self.dos):
            if com.startswith("com"):
                os.remove(os.path.join(self.dos, com))
        self.boards = []


class Board:
    """A virtual device behind a pseudo-terminal. Its terminal is another one after each reset."""

    count = 0

    def __init__(self, windows, *args):
        Board.count += 1
        self.link = windows.path(f"board{Board.count}")
        self.command = [windows.path("smpctl"), "sim", "--pty", self.link, "--flash", self.link + ".flash", *args]
        self.process = None
        self.open()

    def open(self):
        log = self.link + ".log"
        with open(log, "w", encoding="utf-8") as f:
            self.process = subprocess.Popen(["timeout", "-k", "5", "200", *self.command], stdout=f, stderr=f)
        try:
            wait(lambda: os.path.lexists(self.link), "a virtual device")
        except AssertionError as late:
            with open(log, encoding="utf-8") as f:
                raise AssertionError(f"{late}\n{f.read()}") from late

    def close(self):
        """Takes the cable out."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        if os.path.lexists(self.link):
            os.remove(self.link)


class Adapter:
    """A USB serial adapter in front of a virtual device that has power of its own: unplugged, it keeps what it knows."""

    def __init__(self, windows, *args):
        Board.count += 1
        self.link = windows.path(f"adapter{Board.count}")
        with open(self.link + ".log", "w", encoding="utf-8") as f:
            self.process = subprocess.Popen(["timeout", "-k", "5", "200", windows.path("smpctl"), "sim", "--tcp",
                                             "127.0.0.1:0", *args], stdout=f, stderr=f)
        windows.boards.append(self)
        wait(self.address, "a virtual device")
        self.open()

    def address(self):
        with open(self.link + ".log", encoding="utf-8") as f:
            found = re.search(r"127\.0\.0\.1:([0-9]+)", f.read())
        return ("127.0.0.1", int(found[1])) if found else None

    def open(self):
        self.wire = socket.create_connection(self.address(), 10)
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), self.link)
        self.slave, self.plugged = slave, True
        self.pumping = threading.Thread(target=self.pump, daemon=True)
        self.pumping.start()

    def pump(self):
        """Carries bytes until the adapter is unplugged; nothing is left in a read then, which would keep the port."""
        ends = {self.master: lambda: self.wire.sendall(os.read(self.master, 4096)),
                self.wire.fileno(): lambda: os.write(self.master, self.wire.recv(4096))}
        while self.plugged:
            for ready in select.select(list(ends), [], [], 0.05)[0]:
                ends[ready]()

    def unplug(self):
        self.plugged = False
        self.pumping.join(5)
        os.remove(self.link)
        self.wire.close()
        os.close(self.slave)
        os.close(self.master)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


def wait(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def registered(value):
    """Returns a value as a .reg file has it: a text, a list of texts, or bytes of a device property's text."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "hex(7):" + ",".join(f"{b:02x}" for b in ("\0".join(value) + "\0\0").encode("utf-16-le"))
    return "hex(ffff0012):" + ",".join(f"{b:02x}" for b in value)
