"""Attacks on the sandboxes in which models' code runs. Each is a piece of code that says a word if it gets what it is
after; what it does to the host is looked at from the host.

That they would get it without a sandbox is tested too, for those that may be tried on the host.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import turnwise
from support import until, within
from tools.sandboxes import KINDS, SMALL, run, sandbox
from turnwise.tools.code_execution.inside.answers import LARGEST_FILE, MOST_FILES
from turnwise.tools.code_execution.process import LONGEST_OUTPUT, SHOWN_FIRST, SHOWN_LAST, SandboxProcess
from turnwise.tools.code_execution.sandbox import MIB, Broken, Ran, Running, Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are those on Linux")

WORD = "it-got-what-it-was-after"
"""What an attack says that succeeds."""
SAYING = f"ESCAPED = {WORD[::-1]!r}[::-1]\n"
"""How it does, without the word standing in a line that a traceback shows."""

SECRET = "the-word-that-nobody-may-read"


def escaped(ran: Ran) -> bool:
    """Whether an attack got what it was after."""
    return WORD in ran.output


@pytest.fixture(params=KINDS)
def jail(request: pytest.FixtureRequest) -> Sandbox:
    """Each kind of sandbox in turn."""
    return sandbox(request.param)


@pytest.fixture
def strong() -> Sandbox:
    """The one in which Python itself runs, for attacks that need its modules."""
    return sandbox("bubblewrap")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file in our data directory, which everybody on this machine may read."""
    file = tmp_path / "turnwise.db"
    file.write_text(SECRET)
    for folder in (tmp_path, *tmp_path.parents):
        with suppress(PermissionError):
            if folder.stat().st_mode & 0o005 != 0o005:
                folder.chmod(0o755)
    return file


@pytest.fixture(autouse=True)
def secret_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in our environment."""
    monkeypatch.setenv("UPSTREAM_KEY", SECRET)


# -- reading

READING = {
    "the host's users": "print(ESCAPED, open('/etc/passwd').read())",
    "the host's secrets": "print(ESCAPED, open('/etc/shadow').read())",
    "our data directory": "print(ESCAPED, open(DATA).read())",
    "our data directory, by a path that goes up": "print(ESCAPED, open('../../../../..' + DATA).read())",
    "our data directory, by a link to it": ("import os\nos.symlink(DATA, 'link')\nprint(ESCAPED, open('link').read())"),
    "our data directory, by a hard link": "import os\nos.link(DATA, 'hard')\nprint(ESCAPED, open('hard').read())",
    "our data directory, by a path of bytes": "print(ESCAPED, open(DATA.encode()).read())",
    "our data directory, by an executed import": (
        "import sys, os\nsys.path.insert(0, os.path.dirname(DATA))\nprint(os.listdir(os.path.dirname(DATA)), ESCAPED)"
    ),
    "the variables of the process": "import os\nassert 'UPSTREAM_KEY' in os.environ\nprint(ESCAPED)",
    "the variables of the first process": "print(ESCAPED, open('/proc/1/environ').read())",
    "the variables of our process": "print(ESCAPED, open(f'/proc/{HOST}/environ').read())",
    "the variables of all processes": (
        "import glob\nprint([open(file, 'rb').read() for file in glob.glob('/proc/*/environ')][0], ESCAPED)"
    ),
    "the commands of other processes": (
        "import glob\nprint([open(file, 'rb').read() for file in glob.glob('/proc/*/cmdline')][0], ESCAPED)"
    ),
    "the memory of our process": "open(f'/proc/{HOST}/mem', 'rb')\nprint(ESCAPED)",
    "the files that a process has open": "import os\nprint(ESCAPED, os.listdir('/proc/self/fd'))",
    "what is mounted where": "print(ESCAPED, open('/proc/self/mountinfo').read())",
    "the memory of the machine": "open('/dev/mem', 'rb')\nprint(ESCAPED)",
    "the disks of the machine": (
        "import os\nfound = [name for name in os.listdir('/dev') if name not in ('null', 'urandom')]\n"
        "print(ESCAPED, found[0])"
    ),
    "what the kernel tells in /sys": "import os\nprint(ESCAPED, os.listdir('/sys')[0])",
    "the log of the kernel": (
        "import ctypes\nbuffer = ctypes.create_string_buffer(4096)\n"
        "assert ctypes.CDLL(None).klogctl(3, buffer, 4096) > 0\nprint(ESCAPED)"
    ),
    "the home of whoever runs the server": "import os\nprint(ESCAPED, os.listdir(HOME))",
    "the code of turnwise": "import turnwise\nprint(ESCAPED)",
    "the files of turnwise": "print(ESCAPED, open(CODE).read())",
    "what else is installed": "import pytest\nprint(ESCAPED)",
    "a folder that was left open": (
        "import os\n"
        "for file in range(200):\n"
        "    try:\n"
        "        print(ESCAPED, os.open('..', os.O_RDONLY, dir_fd=file))\n"
        "    except OSError:\n"
        "        pass"
    ),
}


def reading(attack: str, data: Path) -> str:
    names = {"DATA": str(data), "HOST": os.getpid(), "HOME": os.path.expanduser("~"), "CODE": turnwise.__file__}
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return f"{given}{SAYING}{READING[attack]}"


@pytest.mark.parametrize("attack", READING)
async def test_code_cannot_read(attack: str, jail: Sandbox, data: Path) -> None:
    ran = await run(jail, reading(attack, data))

    assert not escaped(ran)
    assert SECRET not in ran.output
    assert not ran.lost


@pytest.mark.parametrize(
    "attack",
    [
        "the host's users",
        "our data directory",
        "our data directory, by a link to it",
        "the variables of our process",
        "the variables of the process",
        "the commands of other processes",
        "what is mounted where",
        "what else is installed",
        "the files of turnwise",
    ],
)
def test_code_without_a_sandbox_can_read(attack: str, data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", reading(attack, data)]
    assert WORD.encode() in subprocess.run(command, capture_output=True, cwd=tmp_path, check=False).stdout


# -- the network

NETWORK = {
    "a server of the host's": "socket.create_connection(('127.0.0.1', PORT), 1)",
    "a server of the host's, by its other address": "socket.create_connection(('::ffff:127.0.0.1', PORT), 1)",
    "a server of the host's, by HTTP": (
        "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{PORT}', timeout=1)"
    ),
    "a socket of the host's that has no file": "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0' + NAME)",
    "a socket of the host's that is a file": "s = socket.socket(socket.AF_UNIX)\ns.connect(FILE)",
    "a name by DNS": "socket.getaddrinfo('localhost', 80)",
    "anybody by UDP": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "the kernel's tables": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "the network card": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "the machine below this one": "socket.socket(socket.AF_VSOCK).connect((2, 1024))",
    "the kernel's ciphers": "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "a port to listen on": "s = socket.socket()\ns.bind(('0.0.0.0', 0))\ns.listen()",
    "the network, by asyncio": "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', PORT))",
}


@pytest.mark.parametrize("attack", NETWORK)
async def test_code_cannot_reach(attack: str, jail: Sandbox, listeners: "Listeners") -> None:
    ran = await run(jail, listeners.names + f"{SAYING}import socket\n{NETWORK[attack]}\nprint(ESCAPED)")

    assert not escaped(ran)
    assert ran.is_error
    assert not listeners.were_reached


@pytest.mark.parametrize(
    "attack",
    ["a server of the host's", "a socket of the host's that has no file", "a socket of the host's that is a file"],
)
def test_code_without_a_sandbox_can_reach(attack: str, listeners: "Listeners") -> None:
    code = listeners.names + f"{SAYING}import socket\n{NETWORK[attack]}\nprint(ESCAPED)"
    assert WORD.encode() in subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).stdout
    assert listeners.were_reached


class Listeners:
    """Servers of the host's, which know whether anybody came."""

    def __init__(self, folder: Path) -> None:
        self._file = str(folder / "s")
        self._name = f"turnwise-{os.getpid()}"
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        for address in ("\0" + self._name, self._file):
            server = socket.socket(socket.AF_UNIX)
            server.bind(address)
            server.listen()
            self._sockets.append(server)

    @property
    def names(self) -> str:
        """Where they are, as code."""
        port = self._sockets[0].getsockname()[1]
        return f"PORT, NAME, FILE = {port}, {self._name!r}, {self._file!r}\n"

    @property
    def were_reached(self) -> bool:
        for server in self._sockets:
            server.setblocking(False)
            with suppress(BlockingIOError):
                server.accept()[0].close()
                return True
        return False

    def close(self) -> None:
        for server in self._sockets:
            server.close()


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[Listeners]:
    made = Listeners(tmp_path)
    yield made
    made.close()


# -- processes and privileges

FORBIDDEN = {
    "start a process": "os.fork()",
    "start a process that shares its memory": "assert libc.vfork() >= 0",
    "start a process, by the call itself": "assert libc.syscall(CLONE, 17, 0, 0, 0, 0) >= 0",
    "start a process, by the newer call": (
        "arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)\nassert libc.syscall(435, arguments, 88) >= 0"
    ),
    "start a process with namespaces of its own": "assert libc.syscall(CLONE, 0x10000000 | 17, 0, 0, 0, 0) >= 0",
    "run a program": "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'], check=True)",
    "run the interpreter": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''], check=True)",
    "become another program": "os.execv('/opt/python/bin/python3', ['python3', '-c', ''])",
    "run a program by the shell": "assert os.system('true') == 0",
    "run a program without forking": "os.posix_spawn('/bin/true', ['true'], {})",
    "share work out to processes": "import multiprocessing\nmultiprocessing.Pool(1).map(abs, [1])",
    "leave as a daemon": "os.setsid()",
    "leave its group": "os.setpgid(0, 0)",
    "become root": "os.setuid(0)",
    "become somebody else": "os.setresuid(1000, 1000, 1000)",
    "take capabilities back": (
        "header = (ctypes.c_uint32 * 2)(0x20080522, 0)\nall_of_them = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)\n"
        "assert libc.capset(header, all_of_them) == 0"
    ),
    "make a user namespace": "assert libc.unshare(0x10000000) == 0",
    "make a namespace of mounts": "assert libc.unshare(0x00020000) == 0",
    "enter a namespace": "assert libc.setns(0, 0) == 0",
    "mount a folder": "assert libc.mount(b'tmpfs', b'/work', b'tmpfs', 0, None) == 0",
    "mount the host's disk": "assert libc.mount(b'/dev/vda', b'/work', b'ext4', 0, None) == 0",
    "unmount a folder": "assert libc.umount2(b'/work', 2) == 0",
    "mount a folder by the newer call": "assert libc.syscall(430, b'tmpfs', 0) >= 0",
    "change the root": "os.chroot('/work')",
    "trace a process": "assert libc.ptrace(16, 1, 0, 0) == 0",
    "read the memory of a process": (
        "buffer = ctypes.create_string_buffer(8)\nvector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)\n"
        "assert libc.process_vm_readv(1, vector, 1, vector, 1, 0) > 0"
    ),
    "end our process": "os.kill(HOST, 9)",
    "end the first process": "os.kill(1, 9)\nos.kill(1, 19)\nassert os.path.exists('/proc/1') and False",
    "load a program into the kernel": "assert libc.syscall(BPF, 0, b'', 0) >= 0",
    "use io_uring": "assert libc.syscall(425, 8, ctypes.create_string_buffer(256)) >= 0",
    "count what the processor does": "assert libc.syscall(PERF, ctypes.create_string_buffer(128), 0, -1, -1, 0) >= 0",
    "handle its own faults": "assert libc.syscall(USERFAULT, 0) >= 0",
    "use a key of the kernel's": "assert libc.syscall(KEYCTL, 0, -3, 1) >= 0",
    "call what the filter does not know": "assert libc.syscall(500) != -1 or ctypes.get_errno() != 38\nos.fork()",
    "make a device": "os.mknod('disk', 0o060600, os.makedev(254, 0))",
    "make a program that is another user's": (
        "open('program', 'w').close()\nos.chown('program', 0, 0)\nos.chmod('program', 0o4755)"
    ),
    "raise its limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    ),
    "be more important": "os.nice(-5)",
    "set the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)",
    "rename the machine": "import socket\nsocket.sethostname('mine')",
    "have the kernel keep more for a pair of sockets": (
        "import _socket\n_socket.socketpair()[0].setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, 1 << 30)"
    ),
    "set timers without end": (
        "timer = ctypes.c_void_p()\nfor _ in range(1000): assert libc.timer_create(1, None, ctypes.byref(timer)) == 0"
    ),
    "open a terminal": "os.openpty()",
    "type into our terminal": "import fcntl, termios\nfcntl.ioctl(0, termios.TIOCSTI, b'x')",
}

PRELUDE = f"""
import os, ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
HOST = {os.getpid()}
CLONE, BPF, PERF, USERFAULT, KEYCTL = {{
    "x86_64": (56, 321, 298, 323, 250), "aarch64": (220, 280, 241, 282, 219)
}}[platform.machine()]
"""


@pytest.mark.parametrize("attack", FORBIDDEN)
async def test_code_cannot(attack: str, jail: Sandbox) -> None:
    ran = await run(jail, f"{PRELUDE}{SAYING}{FORBIDDEN[attack]}\nprint(ESCAPED)")

    assert not escaped(ran)
    assert ran.is_error
    assert not ran.lost


@pytest.mark.parametrize("attack", ["start a process", "run a program", "run the interpreter", "leave as a daemon"])
def test_code_without_a_sandbox_can(attack: str, tmp_path: Path) -> None:
    code = f"{PRELUDE}{SAYING}{FORBIDDEN[attack]}\nprint(ESCAPED, flush=True)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path, check=False)
    assert WORD.encode() in ran.stdout


WRITING = ["/", "/opt", "/opt/packages", "/opt/packages/numpy", "/opt/turnwise/inside", "/opt/python/bin", "/dev"]
WRITING += ["/dev/shm", "/etc", "/proc", "/sys", "/var/tmp", "/usr/lib", "/root", "/home"]


@pytest.mark.parametrize("folder", WRITING)
async def test_code_writes_nowhere_but_in_its_folder(folder: str, jail: Sandbox) -> None:
    code = (
        f"{SAYING}import os, json\n"
        f"for path in ({folder!r}, os.path.dirname(json.__file__)):\n"
        "    try:\n"
        "        open(path + '/written', 'w').close()\n"
        "        print(ESCAPED, path)\n"
        "    except OSError:\n"
        "        pass\n"
    )
    ran = await run(jail, code)

    assert not escaped(ran)
    assert not os.path.exists(f"{folder}/written")  # noqa: ASYNC240


async def test_code_that_ends_all_processes_ends_none_of_ours(jail: Sandbox) -> None:
    other = await jail.start()
    await run(jail, "import os, signal\nos.kill(-1, signal.SIGKILL)")
    ran = await other.run("print(6 * 7)")
    await other.end()

    assert ran.output == "42"


MANY_THREADS = """
import threading
threading.stack_size(32768)
stop, count = threading.Event(), 0
try:
    for count in range(10_000):
        threading.Thread(target=stop.wait, daemon=True).start()
except RuntimeError:
    print(count)
"""


async def test_threads_are_bounded(strong: Sandbox) -> None:
    assert 1 <= int((await run(strong, MANY_THREADS)).output) < 128


async def test_threads_of_one_sandbox_take_none_from_another(strong: Sandbox) -> None:
    greedy, other = await strong.start(), await strong.start()
    await greedy.run(MANY_THREADS)
    ran = await other.run("import threading\nthreading.Thread(target=int).start()\nprint(6 * 7)")
    await greedy.end()
    await other.end()

    assert ran.output == "42"


# -- memory

EATING = {
    "one string": "grown = 'x' * (4 * 1024**3)",
    "a list": "grown = [0] * (10**9)",
    "small pieces": "grown = []\nwhile True:\n    grown.append('x' * 1000000 + str(len(grown)))",
    "a number": "grown = 1 << (8 * 4 * 1024**3)",
    "an int as text": (
        "import sys\nif hasattr(sys, 'set_int_max_str_digits'): sys.set_int_max_str_digits(0)\n"
        "grown = '9' * 10**9\ngrown = grown + grown + grown"
    ),
    "a dictionary that grows": "grown = {}\nwhile True:\n    grown[len(grown)] = 'x' * 100000 + str(len(grown))",
    "anonymous memory": "import mmap\ngrown = mmap.mmap(-1, 4 * 1024**3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    "shared memory": "import mmap\ngrown = mmap.mmap(-1, 64 * 1024**2)",
    "memory that is a file": "import os\ngrown = os.memfd_create('grown')\nos.ftruncate(grown, 1024**3)",
    "memory that is a message": ("import ctypes\nassert ctypes.CDLL(None).shmget(0, 1024**3, 0o1600) >= 0\ngrown = 1"),
    "memory that is locked": ("import ctypes\nassert ctypes.CDLL(None).mlockall(3) == 0\ngrown = 1"),
    "address space alone": (
        "import mmap\ngrown = [mmap.mmap(-1, 1024**3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)"
        " for _ in range(8)]"
    ),
    "an array": "import numpy\ngrown = numpy.ones(4 * 1024**3 // 8)",
}


@pytest.mark.parametrize("attack", EATING)
async def test_memory_is_bounded_for(attack: str, jail: Sandbox) -> None:
    running = await jail.start()
    ran = await running.run(f"{SAYING}{EATING[attack]}\nprint(ESCAPED)")
    most = sum(most_memory(pid) for pid in processes(group_of(running)))
    await running.end()

    assert not escaped(ran)
    assert ran.is_error
    assert MIB < most < (SMALL.memory_mib + 128) * MIB


async def test_memory_is_bounded_over_all_threads(strong: Sandbox) -> None:
    code = (
        "import threading\n"
        "grown, begin = [], threading.Barrier(8)\n"
        "def grow():\n"
        "    begin.wait()\n"
        "    try:\n"
        "        while True: grown.append(bytearray(1024**2))\n"
        "    except MemoryError: pass\n"
        "threads = [threading.Thread(target=grow) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "size = len(grown)\n"
        "grown.clear()\n"
        "print(size)\n"
    )
    assert 50 < int((await run(strong, code)).output) < SMALL.memory_mib


async def test_monty_that_was_ended_for_its_memory_is_lost() -> None:
    ran = await run(sandbox("monty", replace(SMALL, memory_mib=512)), "list(range(10**7))")

    assert (ran.lost, ran.is_error) == ("the code was killed, probably because memory ran out", True)
    assert "MemoryError" in ran.output


async def test_after_memory_ran_out_the_sandbox_goes_on(jail: Sandbox) -> None:
    ran = await run(jail, "kept = 42\nx = [0] * 10**10", "print(kept)")

    assert ran.output == "42"


def most_memory(pid: int) -> int:
    """The most memory, in bytes, that a process has had so far."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    return 0


# -- time

ENDLESS = {
    "a loop": "while True: pass",
    "a loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "a sleep": "import time\ntime.sleep(3600)",
    "a number": "x = 3\nwhile True: x = (x * x) % (10**5000 + 7)",
    "a number that Python computes in one go": "print(pow(3, 10**100_000, 10**100_000 + 7) % 10)",
    "a regular expression": "import re\nre.match('(a|aa)+$', 'a' * 90 + 'b')\nwhile True: pass",
    "a file that never comes": "import os\nos.mkfifo('pipe')\nopen('pipe').read()",
    "a signal that is ignored": (
        "import signal\n"
        "for number in range(1, 64):\n"
        "    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: pass"
    ),
    "a value that takes for ever to be shown": (
        "class Endless:\n    def __repr__(self):\n        while True: pass\nprint(repr(Endless()))"
    ),
    "an error that takes for ever to be told": (
        "class Endless(Exception):\n    def __str__(self):\n        while True: pass\nraise Endless()"
    ),
    "a thread that is waited for": (
        "import threading\nthread = threading.Thread(target=threading.Event().wait)\nthread.start()\nthread.join()"
    ),
}


NOT_IN_MONTY = {
    "a number that Python computes in one go",
    "a file that never comes",
    "a signal that is ignored",
    "an error that takes for ever to be told",
    "a thread that is waited for",
}
"""What Monty does not have, or refuses in no time."""


@pytest.mark.parametrize("attack", ENDLESS)
async def test_time_is_bounded_for(attack: str, jail: Sandbox) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    ran = await run(jail, f"{SAYING}print('begun')\n{ENDLESS[attack]}")

    assert loop.time() - started < SMALL.seconds + 5
    if attack not in NOT_IN_MONTY or jail.name != "monty":
        assert ran.output == "begun"
        assert ran.lost == "the code ran for more than 3 s and was stopped"


async def test_what_was_left_running_stands_still_between_calls(strong: Sandbox) -> None:
    running = await strong.start()
    await running.run(
        "import threading\ncount = 0\ndef forever():\n    global count\n    while True: count += 1\n"
        "threading.Thread(target=forever, daemon=True).start()"
    )
    await until(lambda: set(states(group_of(running))) == {"T"})
    ran = await running.run("count > 0")
    await running.end()

    assert ran.output == "True"


async def test_nothing_outlives_its_sandbox(jail: Sandbox) -> None:
    running = await jail.start()
    await running.run(
        "import threading, time\nfor _ in range(5): threading.Thread(target=lambda: time.sleep(3600)).start()"
    )
    group = group_of(running)
    assert states(group)
    await running.end()

    await until(lambda: not states(group))


def states(group: int) -> list[str]:
    """What each process of a group is doing, as the kernel has it."""
    return [state for pid in processes(group) if (state := stat_of(pid)[0]) != "Z"]


def processes(group: int) -> list[int]:
    """The processes of a group. Those that have ended do not count."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if stat_of(pid)[2:3] == [str(group)] and stat_of(pid)[0] != "Z"]


def stat_of(pid: int) -> list[str]:
    """What the kernel has on a process: its state, its parent, its group."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return ["Z"]


def group_of(running: Running) -> int:
    """The group of a sandbox's processes."""
    assert isinstance(running, SandboxProcess)
    return running._process.pid


# -- output


async def test_endless_output_ends_the_code_and_is_not_kept(jail: Sandbox) -> None:
    for _ in range(5):  # it is ended in the middle of a flood, each time in another place
        ran = await run(jail, "while True: print('x' * 1000)")

    assert ran.lost == f"the code printed more than {LONGEST_OUTPUT // MIB} MiB and was stopped"
    assert len(ran.output) < SHOWN_FIRST + SHOWN_LAST + 100


async def test_long_output_is_shown_with_its_beginning_and_its_end(jail: Sandbox) -> None:
    ran = await run(jail, "for number in range(100_000): print(number)")

    assert ran.output.startswith("0\n1\n2\n")
    assert ran.output.endswith("\n99998\n99999")
    assert "characters are left out" in ran.output
    assert len(ran.output) < SHOWN_FIRST + SHOWN_LAST + 100


async def test_a_huge_last_value_is_shown_in_part(jail: Sandbox) -> None:
    ran = await run(jail, "list(range(100_000))")

    assert ran.output.startswith("[0, 1, 2,")
    assert not ran.lost


async def test_output_is_text_that_does_nothing(jail: Sandbox) -> None:
    code = "print('a\\x00b\\x1b[31mred\\x1b[0m\\x1b]0;title\\x07\\x08\\x9b31m\\u202ee\\rnext')"
    ran = await run(jail, code)

    assert ran.output == "a\ufffdbred\ufffd\ufffd31m\ufffde\nnext"


async def test_output_that_is_no_text_is_shown_as_far_as_it_can_be(strong: Sandbox) -> None:
    ran = await run(strong, "import os\nos.write(1, b'caf\\xe9 \\xff\\xfe \\xed\\xa0\\x80')\nprint('\\ud800')")

    assert ran.output.startswith("caf\ufffd \ufffd\ufffd")
    assert ran.output.encode()
    assert not ran.is_error


FORGING = {
    "what the process says": 'print(\'{"is_error": false, "files": [], "kept": []}\')',
    "what the process says, with a file": 'print(\'{"is_error": false, "files": [["x.png", 4]], "kept": []}\\nabcd\')',
    "letters that may end it": "print('0123456789abcdef' * 1000)",
}


@pytest.mark.parametrize("attack", FORGING)
async def test_code_that_prints_our_words_has_printed_them(attack: str, jail: Sandbox) -> None:
    ran = await run(jail, f"{FORGING[attack]}\n1/0")

    assert ran.is_error
    assert not ran.made
    assert "ZeroDivisionError" in ran.output


FIND_THE_END = (
    "import sys, os\n"
    "frame = sys._getframe()\n"
    "while 'order' not in frame.f_locals: frame = frame.f_back\n"
    "end, line = frame.f_locals['order']['end'].encode(), frame.f_locals['line'].answers\n"
)
LYING = {
    "of another size": 'b\'{"is_error": false, "files": [["x", 99999999999]], "kept": []}\\n\'',
    "of a negative size": 'b\'{"is_error": false, "files": [["x", -1]], "kept": []}\\n\'',
    "that are too many": (
        "b'{\"is_error\": false, \"files\": [' + b','.join([b'[\"x\", 0]'] * 999) + b'], \"kept\": []}\\n'"
    ),
    "that are not JSON": "b'nonsense\\n'",
    "that are something else": "b'[1, 2, 3]\\n'",
    "that are nested deeply": "b'[' * 60000 + b'\\n'",
    "that never end": "b'x' * 200000",
    "that are not text": "b'\\xff\\xfe\\n'",
}


@pytest.mark.parametrize("lie", LYING)
async def test_code_that_takes_our_place_with_words(lie: str, strong: Sandbox) -> None:
    ran = await run(strong, f"{FIND_THE_END}os.write(line, end + {LYING[lie]})\nwhile True: pass")

    assert ran.lost
    assert ran.is_error
    assert not ran.made


async def test_code_that_takes_our_place_and_behaves_can_only_say_what_it_could_have_printed(strong: Sandbox) -> None:
    said = 'b\'{"is_error": false, "files": [["../../x.png", 4]], "kept": []}\\nabcd\''
    ran = await run(strong, f"{FIND_THE_END}print('so')\nos.write(line, end + {said})\nwhile True: pass")

    assert (ran.output, ran.is_error) == ("so", False)
    assert [(file.name, file.mime_type, file.data) for file in ran.made] == [
        ("../../x.png", "application/octet-stream", b"abcd")
    ]


# -- files and results

FILLING = {
    "one file": "with open('big', 'wb') as file:\n    while True: file.write(b'x' * 1000000)",
    "many files": "for n in range(100):\n    with open(f'f{n}', 'wb') as file: file.write(b'x' * 1000000)",
    "files that are empty": "for n in range(200_000): open(f'f{n}', 'w').close()",
    "folders": "import os\nfor n in range(200_000): os.mkdir(f'd{n}')",
    "folders in folders": "import os\nfor n in range(200_000):\n    os.mkdir('d')\n    os.chdir('d')",
    "a file with a hole": "with open('hole', 'wb') as file:\n    file.truncate(10**12)",
    "links": "import os\nopen('a', 'w').close()\nfor n in range(200_000): os.symlink('a', f'l{n}')",
    "its temporary folder": (
        "import os\nfor n in range(100):\n    with open(f'/tmp/f{n}', 'wb') as file: file.write(b'x' * 1000000)"
    ),
    "memory that files are in": (
        "for n in range(100):\n    with open(f'/dev/shm/f{n}', 'wb') as file: file.write(b'x' * 1000000)"
    ),
}


@pytest.mark.parametrize("attack", FILLING)
async def test_disk_is_bounded_for(attack: str, jail: Sandbox) -> None:
    ran = await run(jail, f"{SAYING}{FILLING[attack]}\nprint(ESCAPED)")

    assert not escaped(ran)
    assert ran.is_error
    assert sum(len(file.data) for file in ran.made) <= SMALL.disk_mib * MIB


async def test_a_file_with_a_hole_made_by_seeking_is_bounded(strong: Sandbox) -> None:
    ran = await run(strong, "with open('hole', 'wb') as file:\n    file.seek(10**12)\n    file.write(b'x')")

    assert "OSError" in ran.output


async def test_after_the_disk_was_full_the_sandbox_goes_on(strong: Sandbox) -> None:
    ran = await run(strong, "x = 1\nopen('big', 'wb').write(b'x' * 10**8)", "import os\nos.remove('big')\nprint(x)")

    assert ran.output == "1"


NOT_FILES = {
    "a link to our data": "os.symlink(DATA, 'result.txt')",
    "a link to a folder of the host's": "os.symlink('/', 'results')",
    "a link to the interpreter": "os.symlink('/opt/python/bin/python3', 'result.bin')",
    "a pipe that nobody writes to": "os.mkfifo('result.txt')",
    "a socket": "import socket\nos.mkdir('result.txt')",
    "a folder that is called like a picture": "os.mkdir('result.png')",
    "a loop of links": "os.symlink('result.txt', 'result.txt')",
    "a file that is hidden": "open('.result', 'w').write('x')",
}


@pytest.mark.parametrize("what", NOT_FILES)
async def test_a_result_is_not(what: str, strong: Sandbox, data: Path) -> None:
    ran = await run(strong, f"import os\nDATA = {str(data)!r}\n{NOT_FILES[what]}")

    assert (list(ran.made), ran.is_error, ran.lost) == ([], False, "")


async def test_a_file_with_two_names_is_handed_over_once(strong: Sandbox) -> None:
    ran = await run(strong, "import os\nopen('a.txt', 'w').write('x')\nos.link('a.txt', 'b.txt')")

    assert [file.name for file in ran.made] == ["a.txt"]


async def test_names_of_results_are_bounded_and_do_nothing(strong: Sandbox) -> None:
    code = (
        "import os\n"
        "for name in ('x' * 255, 'new\\nline.txt', '\\x1b[31mred.txt', '\\u202egnp.exe'):\n"
        "    open(name, 'wb').write(b'x')\n"
        "open(b'\\xff\\xfe.txt', 'wb').write(b'x')\n"
        "os.makedirs('/'.join(['d' * 200] * 5))\n"
        "open('/'.join(['d' * 200] * 5) + '/deep.txt', 'w').write('x')\n"
    )
    ran = await run(strong, code)

    names = [file.name for file in ran.made]
    assert len(names) == 6
    assert max(map(len, names)) == 200
    assert not any(control in name for name in names for control in "\n\x1b\u202e")
    assert any(name.endswith("/deep.txt") for name in names)


async def test_results_are_bounded_in_number_and_size(strong: Sandbox) -> None:
    code = "for n in range(20): open(f'{n:02}.txt', 'w').write('x')\nprint('done')"
    ran = await run(strong, code)

    assert len(ran.made) == MOST_FILES
    assert list(ran.kept) == ["16.txt", "17.txt", "18.txt", "19.txt"]


async def test_a_result_that_is_too_large_stays_where_it_is() -> None:
    roomy = sandbox("bubblewrap", replace(SMALL, disk_mib=64))
    ran = await run(roomy, f"open('large', 'wb').write(bytes({LARGEST_FILE + 1}))\nopen('small', 'w').write('x')")

    assert [file.name for file in ran.made] == ["small"]
    assert list(ran.kept) == ["large"]


async def test_what_says_to_be_a_picture_and_is_none_is_called_bytes(jail: Sandbox) -> None:
    ran = await run(jail, "with open('x.png', 'w') as file: file.write('<script>')")

    assert [(file.name, file.mime_type) for file in ran.made] == [("x.png", "application/octet-stream")]


async def test_objects_that_run_code_when_they_are_read_are_not_read(strong: Sandbox, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    code = (
        "import pickle\n"
        "class Bomb:\n"
        f"    def __reduce__(self): return open, ({str(proof)!r}, 'w')\n"
        "pickle.dump(Bomb(), open('bomb.pickle', 'wb'))\n"
        "Bomb()\n"
    )
    ran = await run(strong, code)

    assert [file.name for file in ran.made] == ["bomb.pickle"]
    assert not proof.exists()


async def test_a_file_that_changes_while_it_is_handed_over_does_not_upset_us(strong: Sandbox) -> None:
    code = (
        "import os, threading\n"
        "open('moving', 'wb').write(b'x' * 8_000_000)\n"
        "def move():\n"
        "    while True:\n"
        "        os.truncate('moving', 10)\n"
        "        os.truncate('moving', 8_000_000)\n"
        "threading.Thread(target=move, daemon=True).start()"
    )
    running = await strong.start()
    first = await running.run(code)
    second = await running.run("print('well')")
    await running.end()

    assert len(first.made) + len(first.kept) <= 1
    assert second.output == "well"


# -- breaking what runs the code

BREAKING = {
    "a wrong address": "import ctypes\nctypes.string_at(0)",
    "an abort": "import os\nos.abort()",
    "an end": "import os\nos._exit(0)",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "a stop": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "a stack without end": (
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(self): return repr(self)\nrepr(A())"
    ),
    "files that are closed": "import os\nos.closerange(0, 100)",
    "a stdout that is closed": "import sys\nsys.stdout.close()\nsys.stderr.close()",
    "a stdout that is nothing": "import sys\nsys.stdout = sys.stderr = None",
    "builtins that are replaced": "import builtins\nbuiltins.len = builtins.open = builtins.repr = None",
    "modules that are replaced": (
        "import sys, json, os\njson.dumps = json.loads = os.write = os.dup2 = None\n"
        "for name in list(sys.modules): sys.modules[name] = None"
    ),
    "imports that are replaced": (
        "import sys\n"
        "class Hook:\n"
        "    def find_spec(self, *rest): raise KeyboardInterrupt\n"
        "sys.meta_path[:] = [Hook()]\n"
        "import bz2"
    ),
    "a process that is locked": "import os\nos.chdir('/')\nos.chmod('/work', 0)",
    "a folder that is gone": "import os\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')",
    "orders that are read away": (
        "import os\nfor file in range(3, 10):\n    try: os.read(file, 1)\n    except OSError: pass"
    ),
    "an interrupt": "raise KeyboardInterrupt",
    "an exit": "raise SystemExit(3)",
    "a generator that does not go": "import sys\nsys.exit(0)",
    "a trace": "import sys\ndef trace(*rest): raise RuntimeError\nsys.settrace(trace)\nsys.setprofile(trace)",
    "garbage that is not collected": "import gc\ngc.disable()\nfor thing in gc.get_objects()[:0]: pass",
    "deep recursion": "def deep(n): return deep(n + 1)\ndeep(0)",
    "deep data": "deep = []\nfor _ in range(100_000): deep = [deep]\ndeep",
    "a source that is nested deeply": "(" * 5000 + ")" * 5000,
    "a source that is nested deeply in another way": "x = " + "-" * 100_000 + "1",
    "a source with half a character": "print('\ud800')",
    "a source with nothing in it": "\x00",
}


@pytest.mark.parametrize("attack", BREAKING)
async def test_code_that_breaks_its_interpreter_breaks_nothing_else(attack: str, jail: Sandbox) -> None:
    running = await jail.start()
    ran = await running.run(BREAKING[attack])
    after = ran if ran.lost else await running.run("print(6 * 7)")
    await running.end()

    assert after.lost or after.is_error or after.output.endswith("42")
    assert (await run(jail, "print(6 * 7)")).output == "42"


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        ("a wrong address", "the code crashed the interpreter (SIGSEGV)"),
        ("an abort", "the code crashed the interpreter (SIGABRT)"),
        ("an end", "the code ended the process that it ran in"),
        ("a signal", "the code was killed, probably because memory ran out"),
        ("a stop", "the code ran for more than 3 s and was stopped"),
    ],
)
async def test_how_code_ended_is_said(attack: str, why: str, strong: Sandbox) -> None:
    ran = await run(strong, BREAKING[attack])

    assert (ran.lost, ran.is_error) == (why, True)


@pytest.mark.parametrize("code", ["x = 1", "while True: pass"])
async def test_the_sandbox_of_a_server_that_is_killed_goes_with_it(code: str, jail: Sandbox, tmp_path: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, type(jail).__name__, code),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
    )
    assert server.stdout is not None
    group = int(await within(server.stdout.readline()))
    assert states(group)
    server.kill()
    await within(server.wait())

    await until(lambda: not states(group))
    await until(lambda: not list(tmp_path.iterdir()))


async def test_a_sandbox_that_has_nobody_left_to_tell_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running: Any = await sandbox("monty").start()
    process = running._process
    process._transport.get_pipe_transport(1).close()  # as when turnwise is killed before it has its answer
    process.stdin.write(json.dumps({"code": "x = 1", "end": "."}).encode() + b"\n")

    await within(process.wait())
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240
    await running.end()


async def test_a_sandbox_that_cannot_be_started_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/there/is/no/python")
    with pytest.raises(Broken):
        await sandbox("monty").start()
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240


SERVER = """
import asyncio, sys
from turnwise.tools.code_execution.bubblewrap import Bubblewrap
from turnwise.tools.code_execution.monty import Monty
from turnwise.tools.code_execution.sandbox import Bounds

async def main():
    running = await globals()[sys.argv[1]](Bounds(seconds=600)).start()
    print(running._process.pid, flush=True)
    await running.run(sys.argv[2])
    await asyncio.Event().wait()

asyncio.run(main())
"""
