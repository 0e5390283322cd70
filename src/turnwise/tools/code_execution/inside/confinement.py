"""A process takes from itself, for good, whatever the code that it is about to run must not have.

Two things are done: limits on what it may use, and a filter in the kernel that refuses calls of the system. The filter
lets threads be made, but neither processes nor programs be started: so what one process may use is all that may be
used, nothing outlives it, and no other program's rights can be borrowed. It refuses sockets, other namespaces, mounts,
looks into other processes, memory that no limit counts, and calls that Python and its libraries have no use for but in
which holes of the kernel have been found. Calls that are newer than this list are unknown to it, and so to the code.

Each step that cannot be done is an OSError, and nothing may be run then.
"""

import _socket
import ctypes
import os
import platform
import resource
import struct
from collections.abc import Sequence

NEWEST = 462
"""The number of the last call of the system that is thought of here (`mseal`, of Linux 6.10)."""

_CLONE_THREAD = 0x00010000
_SHARED_AND_NAMELESS = 0x21
"""MAP_SHARED and MAP_ANONYMOUS: memory that no limit counts when it is let go of in the right way."""

_PENDING_SIGNALS = 11
"""RLIMIT_SIGPENDING, which Python has no name for; timers count too."""

_EPERM, _ENOSYS = 1, 38
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_CAPABILITIES_VERSION = 0x20080522
_NO_SETUID_NO_DEVICES = 2 | 4

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_CALLS = {"x86_64": {"clone": 56, "clone3": 435, "mmap": 9}, "aarch64": {"clone": 220, "clone3": 435, "mmap": 222}}

_REFUSED = {
    # processes and programs
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    # the network, also those that namespaces do not part
    "socket": (41, 198),
    "setsockopt": (54, 208),  # a pair of sockets can be made, and would hold megabytes of the kernel's memory
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    # memory that no limit counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "mlock": (149, 228),
    "mlock2": (325, 284),
    "mlockall": (151, 230),
    # what else no Python needs
    "userfaultfd": (323, 282),
    "remap_file_pages": (216, 234),
    "vmsplice": (278, 75),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "fanotify_init": (300, 262),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "syslog": (103, 116),
    "acct": (163, 89),
    "_sysctl": (156, None),
    "sysfs": (139, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "ioperm": (173, None),
    "iopl": (172, None),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
"""The calls that are refused, with their numbers on x86_64 and on aarch64."""

_libc = ctypes.CDLL(None, use_errno=True)


def find_no_network() -> None:
    """See that there is none.

    Raises:
        OSError: there is one.
    """
    if others := {name for _, name in _socket.if_nameindex()} - {"lo"}:
        raise OSError(f"it can see the network ({', '.join(sorted(others))})")


def mount_folder(folder: str, *, bytes: int, entries: int, user: int) -> None:
    """Put an empty folder of a user's in this place, of a size and with a number of files that are bounded. It is kept
    in memory."""
    options = f"size={bytes},nr_inodes={entries},mode=0700,uid={user},gid={user}"
    _do(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", _NO_SETUID_NO_DEVICES, options.encode()))


def become(user: int) -> None:
    """Be this user and no other, without any privilege."""
    if os.getuid() == 0:
        os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    _do(_libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(bytes(24))))


def bound(*, memory: int, address_space: int, file: int, files: int, threads: int, seconds: int) -> None:
    """Use no more than this, in bytes and seconds of processor time."""
    for limit, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_NPROC, threads),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (_PENDING_SIGNALS, threads),
    ):
        resource.setrlimit(limit, (most, most))


def filter_calls() -> None:
    """Have the kernel refuse what is listed above, from now on.

    Raises:
        OSError: it does not.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(f"which calls of the system there are on {machine} is not known")
    program = _program(machine)
    instructions = ctypes.create_string_buffer(b"".join(program))
    filter = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(instructions)))
    _do(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _do(_libc.prctl(_SET_SECCOMP, _FILTER, filter, 0, 0))


def _program(machine: str) -> Sequence[bytes]:
    """The filter, as the kernel takes it: instructions of BPF over the number and the arguments of a call."""
    number, architecture, first, fourth = 0, 4, 16, 16 + 3 * 8
    clone, clone3, mmap = (_CALLS[machine][name] for name in ("clone", "clone3", "mmap"))
    refused = [numbers[list(_ARCHITECTURES).index(machine)] for numbers in _REFUSED.values()]
    return [
        _load(architecture),
        _unless_equal(_ARCHITECTURES[machine]),
        _kill(),
        _load(number),
        *(_if_greater(NEWEST), _refuse(_ENOSYS)),
        *(_if_equal(clone3), _refuse(_ENOSYS)),  # its flags cannot be seen from here; the C library then uses clone
        *(instruction for call in refused if call is not None for instruction in (_if_equal(call), _refuse(_EPERM))),
        *(_if_equal(clone, then=4), _load(first), _if_any(_CLONE_THREAD), _allow(), _refuse(_EPERM)),
        *(_if_equal(mmap, then=4), _load(fourth), _and(_SHARED_AND_NAMELESS), _if_equal(_SHARED_AND_NAMELESS)),
        _refuse(_EPERM),
        _allow(),
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _instruction(0x20, offset)


def _and(value: int) -> bytes:
    return _instruction(0x54, value)


def _if_equal(value: int, then: int = 1) -> bytes:
    """Go on with the next `then` instructions, or skip them."""
    return _instruction(0x15, value, 0, then)


def _unless_equal(value: int) -> bytes:
    return _instruction(0x15, value, 1, 0)


def _if_greater(value: int) -> bytes:
    return _instruction(0x25, value, 0, 1)


def _if_any(bits: int) -> bytes:
    return _instruction(0x45, bits, 0, 1)


def _refuse(error: int) -> bytes:
    return _instruction(0x06, 0x00050000 | error)


def _allow() -> bytes:
    return _instruction(0x06, 0x7FFF0000)


def _kill() -> bytes:
    return _instruction(0x06, 0x80000000)


def _do(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
