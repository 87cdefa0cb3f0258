"""A Debian kernel and its USB modules: fetched once, unpacked into a flat folder, and what a module needs."""

import contextlib
import lzma
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

# What may be needed of a kernel package. Everything else, some 400 MB, is not unpacked.
KERNEL_FILE = re.compile(r"(^|/)boot/vmlinuz-[^/]*$")
MODULE_FILE = re.compile(r"(^|/)lib/modules/.*/(drivers/(usb|hid|net/usb|net/mii)|fs/configfs)[/.].*ko(\.xz)?$")

# The Debian package of each program, for the message when one is missing.
PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
    "apt-cache": "apt",
    "ldd": "libc-bin",
    "perl": "perl-base",
}


class LabError(Exception):
    """The lab cannot do its work. The text says what the user can do about it."""


def find_program(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        raise LabError(f"{name} is not installed (Debian: apt-get install {PACKAGES.get(name, name)})")
    return Path(found)


def default_cache() -> Path:
    """Below the temporary folder: kernels survive a run of the lab, but need no cleaning up."""
    return Path(os.environ.get("USB_CACHE") or f"{tempfile.gettempdir()}/smpctl-usb-{os.getuid()}")


@dataclass(frozen=True)
class Kernel:
    """A kernel and its USB modules, in one flat folder."""

    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "kernel"

    def module(self, name: str) -> Path:
        return self.folder / f"{name.replace('-', '_')}.ko"

    def load_order(self, wanted: list[str]) -> list[str]:
        """The wanted modules and what they depend on, each after its own dependencies."""
        order: list[str] = []

        def add(name: str) -> None:
            if name in order:
                return
            if not self.module(name).exists():
                raise LabError(f"the kernel in {self.folder} has no module {name}")
            depends = re.search(rb"\0depends=([^\0]*)\0", self.module(name).read_bytes())
            for other in depends[1].decode().split(",") if depends and depends[1] else []:
                add(other)
            order.append(name)

        for name in wanted:
            add(name)
        return order


def find_kernel(wanted: str, cache: Path) -> Kernel:
    """Gives the kernel of a package, fetched and unpacked if the cache does not have it."""
    make_own(cache)
    cached = sorted(cache.glob("linux-image-*"), key=lambda folder: folder.stat().st_mtime)
    if not wanted and cached:
        return Kernel(cached[-1])
    deb = Path(wanted) if wanted.endswith(".deb") else None
    name = deb.stem if deb else wanted or newest_kernel()
    folder = cache / name
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as work:
            new = Path(work) / "new"
            unpack_kernel(deb or download(name, Path(work)), new)
            with contextlib.suppress(OSError):  # another lab was faster
                new.rename(folder)
    return Kernel(folder)


def make_own(cache: Path) -> None:
    """Makes the cache folder. One that somebody else has put there could hold a kernel of theirs."""
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = cache.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise LabError(f"{cache}: not a folder of this user; name another one with --cache or USB_CACHE")


def newest_kernel() -> str:
    """The kernel package that Debian's linux-image-amd64 stands for now."""
    answer = apt("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-\d\S*)", answer.stdout)
    if not found:
        raise LabError("apt-cache names no kernel: run apt-get update as root, or give --kernel; "
                       f"it says: {(answer.stderr or answer.stdout).strip()}")
    return found[1]


def download(package: str, folder: Path) -> Path:
    print(f"fetching {package}, some 70 MB, once", flush=True)
    answer = apt("apt-get", "download", package, folder=folder)
    debs = list(folder.glob("*.deb"))
    if answer.returncode or not debs:
        raise LabError(f"apt-get download {package} failed; run apt-get update as root, or give --kernel with a "
                       f".deb file; it says: {answer.stderr.strip()}")
    return debs[0]


def apt(*command: str, folder: Path | None = None) -> subprocess.CompletedProcess:
    """Runs a program of apt. If root has no lists of packages, or old ones, they are fetched, and it is tried again."""
    def once() -> subprocess.CompletedProcess:
        program = [find_program(command[0]), *command[1:]]
        return subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=300)

    answer = once()
    if (answer.returncode or not answer.stdout.strip()) and os.getuid() == 0:
        subprocess.run([find_program("apt-get"), "update", "-qq"], capture_output=True, timeout=300)
        answer = once()
    return answer


def unpack_kernel(deb: Path, folder: Path) -> None:
    if not deb.is_file():
        raise LabError(f"{deb}: no such file")
    folder.mkdir()
    kernel = Kernel(folder)
    command = [find_program("dpkg-deb"), "--fsys-tarfile", deb]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking, contextlib.suppress(tarfile.ReadError):
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as files:
            for file in files:
                if KERNEL_FILE.search(file.name):
                    kernel.image.write_bytes(decompressed(files.extractfile(file).read()))
                elif file.isfile() and MODULE_FILE.search(file.name):
                    name, _, packed = Path(file.name).name.partition(".ko")
                    data = files.extractfile(file).read()
                    kernel.module(name).write_bytes(lzma.decompress(data) if packed else data)
    if unpacking.returncode or not kernel.image.exists():
        raise LabError(f"{deb}: not a Debian package with a kernel")


def decompressed(image: bytes) -> bytes:
    """Takes the kernel proper out of an image that unpacks itself, which costs an emulated PC some seconds at each
    boot; QEMU starts it directly (PVH). An image packed otherwise than Debian 12's stays as it is."""
    start = image.find(b"\xfd7zXZ\0")
    if start >= 0:
        with contextlib.suppress(lzma.LZMAError):
            kernel = lzma.LZMADecompressor().decompress(image[start:])
            if kernel.startswith(b"\x7fELF"):
                return kernel
    return image
