"""What the attacks run inside a container: small Python programs that print JSON."""

from __future__ import annotations

GATE = """
import json, socket
print(json.dumps(socket.gethostbyname("growqr")))
"""

KNOCK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def opens(door):
    try:
        whole = socket.getaddrinfo(door[0], door[1], type=socket.SOCK_STREAM)[0]
        with socket.socket(whole[0], socket.SOCK_STREAM) as probe:
            probe.settimeout(float(sys.argv[2]))
            probe.connect(whole[4])
        return True
    except OSError:
        return False
doors = json.loads(sys.argv[1])
with ThreadPoolExecutor(32) as pool:
    print(json.dumps([door for door, got in zip(doors, pool.map(opens, doors)) if got]))
"""

LINK = """
import json, socket, sys
names = [name for _, name in socket.if_nameindex() if name != "lo"]
print(json.dumps([f"{one}%{name}" for one in json.loads(sys.argv[1]) for name in names]))
"""

WORLD = """
import socket, threading
def names():
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("0.0.0.0", 53))
    while True:
        question, who = asked.recvfrom(512)  # an answer by its count alone
        asked.sendto(question[:2] + b"\\x81\\x80\\0\\1\\0\\1" + question[8:], who)
def pages(port):
    door = socket.create_server(("0.0.0.0", port), backlog=64)
    ready.release()
    while True:
        door.accept()[0].close()
ready = threading.Semaphore(0)
for work in ((names, ()), (pages, (80,)), (pages, (443,))):
    threading.Thread(target=work[0], args=work[1]).start()
ready.acquire(), ready.acquire()
print("listening", flush=True)
"""

RESOLVE = """
import json, socket, struct, sys
def found(name):
    try:
        return socket.getaddrinfo(name, 443) and name
    except OSError:
        return None
def answers(server):
    \"\"\"Whether a question for example.com, by hand, comes back with an address.\"\"\"
    name = b"\\7example\\3com\\0"
    question = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1.5)
        try:
            asking.sendto(question, (server, 53))
            return struct.unpack(">H", asking.recv(512)[6:8])[0] > 0
        except OSError:
            return False
servers, names = map(json.loads, sys.argv[1:])
print(json.dumps({
    "names": [name for name in names if found(name)],
    "answers": [server for server in servers if answers(server)],
}))
"""

SEARCH = """
import json, os, sys
word, data = sys.argv[1].encode(), sys.argv[2]
del sys.argv[1]  # and it is still in our own command line, which is not looked at
found = []
def look(path):
    try:
        if os.path.getsize(path) < 32 << 20 and word in open(path, "rb").read():
            found.append(path)
    except OSError:
        pass
for pid in [*filter(str.isdigit, os.listdir("/proc")), "self"]:
    if pid != str(os.getpid()):
        for name in ("environ", "mountinfo", "cmdline") if pid != "self" else ("environ",):
            look(f"/proc/{pid}/{name}")
for top in ("/etc", "/run", "/var", "/tmp", "/dev/shm", "/root", "/home", "/opt", "/srv", data):
    for here, folders, files in os.walk(top):
        for name in files:
            path = os.path.join(here, name)
            if os.path.isfile(path):
                look(path)
print(json.dumps(found))
"""

SELF = """
import json, os, stat, sys
lines = [line.split(":", 1) for line in open("/proc/self/status") if ":" in line]
def writes(folder):
    path = os.path.join(folder, "growqr-probe")
    try:
        with open(path, "w") as file:
            file.write("x")
        os.unlink(path)
        return True
    except OSError:
        return False
def sockets():
    for top in ("/run", "/var", "/tmp", "/home", "/root", "/dev", "/srv"):
        for here, _, files in os.walk(top):
            for name in files:
                try:
                    if stat.S_ISSOCK(os.lstat(os.path.join(here, name)).st_mode):
                        yield os.path.join(here, name)
                except OSError:
                    pass
mounts = [line.split() for line in open("/proc/mounts")]
print(json.dumps({
    "status": {name: value.strip() for name, value in lines},
    "uid": os.getuid(), "groups": [os.getgid(), *os.getgroups()],
    "sockets": list(sockets()),
    "writable": [folder for folder in json.loads(sys.argv[1]) if writes(folder)],
    "root": next(mount[3].split(",") for mount in mounts if mount[1] == "/"),
}))
"""

SYSCALLS = """
import ctypes, errno, json, os, platform, sys
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
number = {
    "getpid": (39, 172), "unshare": (272, 97), "mount": (165, 40), "ptrace": (101, 117),
    "keyctl": (250, 219), "add_key": (248, 217), "bpf": (321, 280),
    "perf_event_open": (298, 241), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "pivot_root": (155, 41), "chroot": (161, 51),
    "userfaultfd": (323, 282), "swapon": (167, 224), "settimeofday": (170, 170),
    "kexec_load": (246, 104), "process_vm_readv": (310, 270),
}
def call(name, *words):
    \"\"\"In a child, so that what succeeds changes nothing for the next one.\"\"\"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        ctypes.set_errno(0)
        done = libc.syscall(number[name][arm], *words)
        code = ctypes.get_errno() if done < 0 else 0
        os.write(write, (errno.errorcode.get(code, str(code)) if code else "fine").encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as told:
        return told.read().decode() or "killed"
bob, null = int(sys.argv[1]), ctypes.c_void_p(0)
tmpfs = ctypes.c_char_p(b"tmpfs")
attributes = ctypes.create_string_buffer(128)
attributes[4] = 128
told = {"getpid": call("getpid")}
kinds = {"user": 0x10000000, "mnt": 0x20000, "net": 0x40000000, "pid": 0x20000000}
for kind, flag in kinds.items():
    told["unshare " + kind] = call("unshare", flag)
told["keyctl"] = call("keyctl", 0, -3, 0)
if bob:
    told["mount"] = call("mount", tmpfs, ctypes.c_char_p(b"/tmp"), tmpfs, 0, null)
    told["remount"] = call("mount", null, ctypes.c_char_p(b"/"), null, 0x1020, null)
    told["ptrace bob"] = call("ptrace", 16, bob, null, null)
    told["add_key"] = call("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"x"),
                           ctypes.c_char_p(b"y"), 1, -3)
    told["bpf"] = call("bpf", 0, attributes, 128)
    told["perf_event_open"] = call("perf_event_open", attributes, -1, 0, -1, 0)
    told["setns"] = call("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0)
    told["open_by_handle_at"] = call("open_by_handle_at", -100, attributes, 0)
    told["init_module"] = call("init_module", null, 0, ctypes.c_char_p(b""))
    told["pivot_root"] = call("pivot_root", ctypes.c_char_p(b"/"), ctypes.c_char_p(b"/tmp"))
    told["chroot"] = call("chroot", ctypes.c_char_p(b"/tmp"))
    told["userfaultfd"] = call("userfaultfd", 0)
    told["swapon"] = call("swapon", ctypes.c_char_p(b"/tmp/none"), 0)
    told["settimeofday"] = call("settimeofday", attributes, null)
    told["kexec_load"] = call("kexec_load", null, 0, null, 0)
print(json.dumps(told))
"""

FORKS = """
import errno, json, os, signal
children, refused = [], None
while refused is None and len(children) < 2000:
    try:
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        children.append(child)
    except OSError as error:
        refused = errno.errorcode[error.errno]
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps({"children": len(children), "refused": refused}))
"""

FILL = """
import errno, json, os
told = {}
for folder in ("/dev/shm", "/tmp"):
    path, written, refused, piece = os.path.join(folder, "fill"), 0, None, bytes(1 << 16)
    try:
        with open(path, "wb", buffering=0) as file:
            while written < 1 << 30:
                written += file.write(piece)
    except OSError as error:
        refused = errno.errorcode[error.errno]
    if os.path.exists(path):
        os.unlink(path)
    told[folder] = {"mib": written >> 20, "refused": refused}
print(json.dumps(told))
"""

HOG = """
held = []
for _ in range(4096):
    held.append(b"x" * (1 << 20))
print("all of it")
"""

WATCHES = """
import ctypes, json, os, sys, time
libc = ctypes.CDLL(None)
held = 0
while held < 4096 and libc.inotify_init() >= 0:
    held += 1
if len(sys.argv) > 1:
    path = os.path.join(sys.argv[1], "held")
    open(path, "w").close()
    end = time.monotonic() + 30
    while os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)
print(json.dumps(held))
"""

FLUSHED = """
import json, subprocess, sys
from pathlib import Path
from growqr.config import load
from growqr.stacks.docker.firewall import Firewall
def rules(*words):
    subprocess.run(["iptables", *words], check=True) if words else None
    return subprocess.check_output(["iptables", "-S"], text=True).splitlines()
firewall = Firewall(load(data=Path(sys.argv[1]), database_url=None), "0123456789ab")
rules("-N", "DOCKER-USER")
rules("-A", "FORWARD", "-j", "DOCKER-USER")
firewall.ensure()
whole = rules()
rules("-F", "FORWARD")
firewall.ensure()
cut_off = rules()
firewall.remove()
print(json.dumps([whole, cut_off, rules()]))
"""
