"""Python itself in a sandbox of the system's: bubblewrap, and a process that confines itself further.

bubblewrap gives it a world of its own: no network, no other processes, and of all files only the interpreter, its
standard library, the shared libraries of the system and a few packages, none of which it can write to. There is no
`/proc`, `/sys` or `/etc`, and no device but `/dev/null` and `/dev/urandom`. In it `inside/worker.py` mounts a working
directory in memory, becomes nobody, bounds itself, and has the kernel refuse what is left to refuse
(`inside/confinement.py`).

Started by root, it makes its namespaces as root and is nobody before the first line of foreign code; started by anybody
else, it makes them in a user namespace, as that user. Where a machine allows neither, there is no such sandbox.
"""

import asyncio
import importlib.metadata
import json
import os
import platform
import re
import shutil
import socket
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path

from turnwise.tools.code_execution.process import SandboxProcess
from turnwise.tools.code_execution.sandbox import MIB, Bounds, Broken, Running

LIBRARIES = {"numpy": "NumPy", "pandas": "pandas", "scipy": "SciPy", "matplotlib": "Matplotlib"}
"""The packages that code may import, by their distributions; what these need is there too."""

NOBODY = 65534
USERS = range(64_536, NOBODY)
"""Sandboxes that root starts are these users, each another one: the kernel counts the threads of a user, not of a
process."""
THREADS = 128
OPEN_FILES = 64
PROCESSOR_SECONDS = 3600
NICE = 10
ADDRESS_SPACE_MIB = 1024
"""How much more than its memory a process may address: what is mapped from files takes none."""

INSIDE = Path(__file__).parent / "inside"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Bubblewrap:
    """Sandboxes of bubblewrap. It is a `Sandbox`."""

    name = "bubblewrap"

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._users = cycle(USERS if os.geteuid() == 0 else [NOBODY])
        self._libraries: Sequence[str] = ()
        self._command: Sequence[str] = ()

    @property
    def abilities(self) -> str:
        """What code can do and use. Known once it was probed."""
        named = ", ".join(self._libraries)
        libraries = f"the standard library, {named}" if named else "the standard library, but no other packages"
        plots = " Matplotlib figures become images." if "Matplotlib" in self._libraries else ""
        return (
            f"CPython {platform.python_version()} with {libraries}.{plots} Files written into the working directory are"
            " handed over. There is no network, and no other program can be started."
        )

    async def start(self) -> Running:
        """A new one. See `Sandbox`."""
        if not self._command:  # looking for everything takes a while
            self._command = await asyncio.to_thread(_command)
        orders = _orders(self._bounds, next(self._users))
        return await SandboxProcess.start(self._command, {}, self._bounds, orders, pauses=True)

    async def probe(self) -> None:
        """Try everything that a sandbox promises, in a sandbox.

        Raises:
            Broken: it cannot be had, or does not hold.
        """
        sandbox = await self.start()
        try:
            with socket.create_server(("127.0.0.1", 0)) as server:
                tried = {"ours": __file__, "port": server.getsockname()[1], "bounds": _orders(self._bounds, NOBODY)}
                ran = await sandbox.run(f"tried = {tried!r}\nlibraries = {list(LIBRARIES)!r}\n{_PROBE}")
            found = json.loads(ran.output)
            failed, libraries = list(found["failed"]), list(found["libraries"])
        except (ValueError, KeyError, TypeError):
            raise Broken("it could not be tried out") from None
        finally:
            await sandbox.end()
        if failed:
            raise Broken(f"it does not hold: {', '.join(map(str, failed))}")
        self._libraries = [LIBRARIES[name] for name in libraries if name in LIBRARIES]


_PROBE = """
import ctypes, importlib.util, json, os, resource, socket, threading

bounds, failed = tried["bounds"], []

def must_fail(what, attempt):
    try:
        done = attempt()
    except (OSError, AttributeError):
        return
    if done != -1:
        failed.append(what)

def write_into(folder):
    open(os.path.join(folder, "written"), "w").close()

libc = ctypes.CDLL(None)
must_fail("files of the host can be read", lambda: open(tried["ours"]).close())
must_fail("/etc/passwd can be read", lambda: open("/etc/passwd").close())
must_fail("/proc can be seen", lambda: os.listdir("/proc"))
must_fail("the host can be reached by network", lambda: socket.create_connection(("127.0.0.1", tried["port"]), 1))
must_fail("sockets can be made", socket.socket)
must_fail("processes can be started", lambda: os.fork() or os._exit(0))
must_fail("programs can be started", lambda: os.execv("/opt/python/bin/python3", ["python3"]))
must_fail("namespaces can be made", lambda: libc.unshare(0x10000000))
must_fail("folders can be mounted", lambda: libc.mount(b"tmpfs", b"/work", b"tmpfs", 0, None))
must_fail("it is root, or can be", lambda: os.setuid(0))
for folder in ("/", "/dev", "/opt", "/opt/packages", os.path.dirname(os.__file__)):
    must_fail(f"{folder} can be written to", lambda: write_into(folder))
if os.getuid() == 0 or os.geteuid() == 0:
    failed.append("it is root")
for limit, most in (("DATA", "memory"), ("AS", "address_space"), ("FSIZE", "disk"), ("NPROC", "threads")):
    if resource.getrlimit(getattr(resource, "RLIMIT_" + limit)) != (bounds[most], bounds[most]):
        failed.append(f"{most} is not bounded")
disk = os.statvfs("/work")
if not 0 < disk.f_files <= bounds["entries"] or not 0 < disk.f_blocks * disk.f_frsize <= bounds["disk"]:
    failed.append("its files are not bounded")
threading.Thread(target=int).start()
print(json.dumps({"failed": failed, "libraries": [name for name in libraries if importlib.util.find_spec(name)]}))
"""
"""Tried in a sandbox, as code of a model's is."""


def _orders(bounds: Bounds, user: int) -> Mapping[str, int]:
    """What the process in the sandbox is told of its bounds, and of who it is to be."""
    return {
        "user": user,
        "memory": bounds.memory_mib * MIB,
        "address_space": (bounds.memory_mib + ADDRESS_SPACE_MIB) * MIB,
        "disk": bounds.disk_mib * MIB,
        "entries": bounds.entries,
        "files": OPEN_FILES,
        "threads": THREADS,
        "processor_seconds": PROCESSOR_SECONDS,
        "nice": NICE,
    }


# -- the command


def _command() -> Sequence[str]:
    """What starts a sandbox.

    Raises:
        Broken: a part of it is not on this machine.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise Broken("bubblewrap is not installed; run: apt-get install bubblewrap")
    return [program, *_world(), *_files(), *_environment(), "--remount-ro", "/", "--", *_worker()]


def _world() -> Iterator[str]:
    """Namespaces of its own, and the privileges that the worker lays down."""
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--die-with-parent", "--clearenv", "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN")
    if os.geteuid() == 0:
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield from ("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY))


def _files() -> Iterator[str]:
    """All files that there are."""
    bound = dict(_bound())
    for folder in sorted({"/work", *(str(folder) for path in bound for folder in Path(path).parents)} - {"/"}):
        yield from ("--perms", "0755", "--dir", folder)
    yield from ("--symlink", "/work", "/tmp")
    for path, source in bound.items():
        yield from ("--dev-bind" if path.startswith("/dev/") else "--ro-bind", source, path)
    for folder in ("site-packages", "dist-packages"):  # the interpreter's own packages, which may be anybody's
        if os.path.isdir(os.path.join(_standard_library(), folder)):
            hidden = os.path.join(_inside(_standard_library()), folder)
            yield from ("--tmpfs", hidden, "--remount-ro", hidden)


def _bound() -> Iterator[tuple[str, str]]:
    """What is where in a sandbox, and where it is on this machine."""
    for path in ("/dev/null", "/dev/urandom", *_system_libraries()):
        yield path, path
    if os.path.isdir("/usr/share/zoneinfo"):
        yield "/usr/share/zoneinfo", "/usr/share/zoneinfo"
    yield "/opt/python/bin/python3", os.path.realpath(sys.executable)
    yield _inside(_standard_library()), _standard_library()
    shared = Path(sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("INSTSONAME") or "")
    if shared.suffix != ".a" and shared.is_file():
        yield f"/opt/python/lib/{shared.name}", os.path.realpath(shared)
    yield "/opt/turnwise/inside", str(INSIDE)
    for source in _packages():
        yield f"/opt/packages/{source.name}", str(source)


def _system_libraries() -> Sequence[str]:
    """The folders in which the loader looks for shared libraries."""
    several = sysconfig.get_config_var("MULTIARCH") or ""
    own = [folder for folder in (f"/lib/{several}", f"/usr/lib/{several}") if several and os.path.isdir(folder)]
    folders = [*(own or ["/lib", "/usr/lib"]), "/lib64", "/usr/lib64"]
    return [folder for folder in folders if os.path.isdir(folder)]


def _standard_library() -> str:
    return os.path.realpath(sysconfig.get_path("stdlib"))


def _inside(library: str) -> str:
    """Where an interpreter in `/opt/python` looks for this library."""
    return f"/opt/python/{sys.platlibdir}/{Path(library).name}"


def _packages() -> Sequence[Path]:
    """The folders and files of the packages that code may import."""
    paths: dict[str, Path] = {}
    waiting, seen = list(LIBRARIES), set[str]()
    while waiting:
        name = waiting.pop().lower()
        if name in seen:
            continue
        seen.add(name)
        with suppress(importlib.metadata.PackageNotFoundError):
            distribution = importlib.metadata.distribution(name)
            waiting += [need for need in map(_called, distribution.requires or ()) if need]
            for top in {file.parts[0] for file in distribution.files or ()}:
                if not top.endswith((".dist-info", ".egg-info", ".pth")) and top not in ("..", "__pycache__"):
                    paths[top] = Path(str(distribution.locate_file(top)))
    return [paths[top] for top in sorted(paths) if paths[top].exists()]


def _called(requirement: str) -> str:
    """The name of a distribution that another one needs; none for what only its extras need."""
    found = _NAME.match(requirement)
    return found[0] if found and "extra ==" not in requirement else ""


def _environment() -> Iterator[str]:
    """The variables of the process."""
    variables = {
        "HOME": "/work",
        "TMPDIR": "/work",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": "/opt/python/lib",
        "MPLBACKEND": "module://inside.figures",
        "MPLCONFIGDIR": "/work/.matplotlib",
        # Each of their threads would reserve memory that it does not use, of which there is little.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in variables.items():
        yield from ("--setenv", name, value)


def _worker() -> Sequence[str]:
    """The process in the sandbox. It takes nothing from its surroundings, and no packages but those that it finds."""
    begin = "import sys; sys.path.insert(0, '/opt/turnwise'); import inside.worker"
    return ("/opt/python/bin/python3", "-I", "-S", "-B", "-X", "utf8", "-c", begin)
