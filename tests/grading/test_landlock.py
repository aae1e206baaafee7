"""What a sealed process can still reach: its own folder, and what Python needs."""

import json
import subprocess
import sys
from pathlib import Path

SEALED = """
import json, os, signal, socket, sys
from backpass.grading.landlock import seal
from backpass.grading.seccomp import refuse

own, other, parent = sys.argv[1:]
sealed, refused = seal(own), refuse()

def works(action):
    try:
        action()
    except OSError:
        return False
    return True

def memory():
    import ctypes
    number = ctypes.CDLL(None).shmget(0, 4096, 0o1600)
    if number < 0:
        raise OSError

found = {
    "sealed": sealed, "refused": refused,
    "own": works(lambda: open(own + "/mine", "w").write("x")),
    "deeper": works(lambda: os.makedirs(own + "/a/b")),
    "python": works(lambda: __import__("wave")),
    "shared": works(lambda: open(os.devnull, "w").write("x")),
    "itself": works(lambda: os.kill(os.getpid(), 0)),
    "read": works(lambda: open(other + "/key.py").read()),
    "write": works(lambda: open(other + "/key.py", "a").write("x")),
    "make": works(lambda: open(other + "/new", "w")),
    "remove": works(lambda: os.remove(other + "/key.py")),
    "move": works(lambda: os.rename(other + "/key.py", own + "/key.py")),
    "package": works(lambda: open(seal.__code__.co_filename, "a")),
    "others": works(lambda: os.listdir("/proc")),
    "chmod": works(lambda: os.chmod(other, 0o700)),
    "signal": works(lambda: os.kill(int(parent), 0)),
    "fork": works(os.fork),
    "execute": works(lambda: os.execv("/bin/true", ["true"])),
    "connect": works(socket.socket),
    "memory": works(memory),
}
print(json.dumps(found))
"""


def test_a_sealed_process_reaches_nothing_of_others(tmp_path: Path):
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / "key.py").write_text("key = 1\n")
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        run = subprocess.run(
            [sys.executable, "-c", SEALED, str(own), str(other), str(sleeper.pid)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        sleeper.kill()
        sleeper.wait()
    found = json.loads(run.stdout)
    sealed, refused = found.pop("sealed"), found.pop("refused")
    for name in ("own", "deeper", "python", "shared", "itself"):
        assert found.pop(name), name
    calls = {"chmod", "signal", "fork", "execute", "connect", "memory"}
    # a system that has neither takes nothing away, and says so
    assert {name for name in calls if found.pop(name)} == (set() if refused else calls)
    assert {name for name, done in found.items() if done} == (set() if sealed else {*found})
    assert (other / "key.py").exists() is sealed
