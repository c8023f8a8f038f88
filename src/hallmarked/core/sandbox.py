"""Take rights away from a process before it reads hostile bytes.

On Linux: resource limits and a system-call filter (seccomp) that refuses sockets, new programs, new processes, and
every way to change a file. Elsewhere: what the platform gives. What was achieved is returned, so that it can be shown.

The filter is written here because it must hold without extra packages and without privileges. Layout of the program
and of ``seccomp_data``: https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass

if sys.platform != "win32":
    import resource


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process that reads hostile bytes may use."""

    cpu_seconds: int = 600
    wall_seconds: int = 900
    memory_bytes: int = 2 << 30
    open_files: int = 64


# System call: (number on x86_64, number on aarch64); None where the architecture has no such call.
SOCKET_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
}
REFUSED_CALLS: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "creat": (85, None),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "umount2": (166, 39),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    # Other processes of the same user: signals by other names, their open files, their limits.
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "process_madvise": (440, 440),
    "perf_event_open": (298, 241),
    # What a file is besides its content.
    "fchmodat2": (452, 452),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    # Things that outlive a process or are shared with others.
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # What an administrator may do, since containers often run as one.
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
}
# Newer calls whose arguments a filter cannot see; the C library falls back to the older ones.
ABSENT_CALLS: dict[str, tuple[int | None, int | None]] = {"clone3": (435, 435), "openat2": (437, 437)}
# Calls judged by one argument: (numbers, argument index).
OPEN_CALLS = (((2, None), 1), ((257, 56), 2))
CLONE = (56, 220)
TGKILL = (234, 131)
"""Signals a thread; only those of this process are left, for ``abort``."""
PRLIMIT = (302, 261)
"""Sets limits of any process of the same user; only the own one (0) is left."""
ANY_PROCESS = 0xFFFFFFFF
IOCTL = (16, 29)
TERMINAL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Questions and settings of an own file that the interpreter needs; others could type into the user's terminal."""

WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CLONE_THREAD = 0x10000
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
X32_BIT = 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 38, 22, 2
KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def confine(limits: Limits, *, allow_socket: bool) -> list[str]:
    """Limit this process, for good.

    Args:
        limits: What it may use.
        allow_socket: Leave sockets open, for one that talks to a daemon on this machine.

    Returns:
        The kinds of isolation that hold from now on, e.g. ``["limits", "no-network", "no-writes"]``.
    """
    achieved: list[str] = []
    if sys.platform != "win32":
        wanted = {
            resource.RLIMIT_CPU: limits.cpu_seconds,
            resource.RLIMIT_FSIZE: 0,
            resource.RLIMIT_NOFILE: limits.open_files,
            resource.RLIMIT_CORE: 0,
        }
        if sys.platform == "linux":  # elsewhere the kernel ignores it, or counts reserved address space
            wanted[resource.RLIMIT_AS] = limits.memory_bytes
        for kind, value in wanted.items():
            _, hard = resource.getrlimit(kind)
            allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (allowed, allowed))
        achieved.append("limits")
    if sys.platform == "linux":
        # Whoever asked is gone when it was killed: nobody would end this process at its time limit.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if sys.platform == "linux" and platform.machine() in ARCHITECTURES and _install(filter_program(allow_socket)):
        achieved += ["no-writes", "no-programs"] + ([] if allow_socket else ["no-network"])
    return achieved


def filter_program(allow_socket: bool) -> bytes:
    """Assemble the system-call filter for this machine's architecture."""
    column, architecture = ARCHITECTURES[platform.machine()]
    refuse, absent = ERRNO | errno.EACCES, ERRNO | errno.ENOSYS
    code = [
        _op(LOAD, 4),
        _op(JUMP_EQUAL, architecture, 1, 0),
        _op(RETURN, KILL),
        _op(LOAD, 0),
        _op(JUMP_AT_LEAST, X32_BIT, 0, 1),
        _op(RETURN, KILL),
    ]
    refused = REFUSED_CALLS if allow_socket else {**REFUSED_CALLS, **SOCKET_CALLS}
    for table, answer in ((refused, refuse), (ABSENT_CALLS, absent)):
        for numbers in table.values():
            number = numbers[column]
            if number is not None:
                code += [_op(JUMP_EQUAL, number, 0, 1), _op(RETURN, answer)]
    for numbers, argument in OPEN_CALLS:
        code += _judge_argument(numbers[column], argument, WRITE_FLAGS, bits_refuse=True)
    code += _judge_argument(PRLIMIT[column], 0, ANY_PROCESS, bits_refuse=True)
    code += _judge_argument(CLONE[column], 0, CLONE_THREAD, bits_refuse=False)
    code += _judge_value(TGKILL[column], 0, (os.getpid(),), errno.EPERM)
    code += _judge_value(IOCTL[column], 1, TERMINAL_REQUESTS, errno.ENOTTY)
    code.append(_op(RETURN, ALLOW))
    return b"".join(code)


def _judge_argument(number: int | None, argument: int, bits: int, *, bits_refuse: bool) -> list[bytes]:
    """Refuse a call when an argument has (or lacks) any of ``bits``."""
    if number is None:
        return []
    when_set, when_clear = (0, 1) if bits_refuse else (1, 0)
    return [
        _op(JUMP_EQUAL, number, 0, 4),
        _op(LOAD, 16 + 8 * argument),
        _op(JUMP_ANY_BIT, bits, when_set, when_clear),
        _op(RETURN, ERRNO | errno.EACCES),
        _op(RETURN, ALLOW),
    ]


def _judge_value(number: int, argument: int, allowed: Sequence[int], error: int) -> list[bytes]:
    """Refuse a call unless an argument is one of a few values."""
    tests = [_op(JUMP_EQUAL, value, len(allowed) - index) for index, value in enumerate(allowed)]
    body = [_op(LOAD, 16 + 8 * argument), *tests, _op(RETURN, ERRNO | error), _op(RETURN, ALLOW)]
    return [_op(JUMP_EQUAL, number, 0, len(body)), *body]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """Encode one instruction (``struct sock_filter``)."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def _install(program: bytes) -> bool:
    """Install a filter for this process; False when the kernel does not take it."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0)
