"""Submissions that mean well and that do not: each is worth its own numbers, and moves no other."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import numpy as np
import pytest

from backpass.grading.grade import Way, grade, is_of
from backpass.grading.graded import Graded
from backpass.grading.key import Key, key
from backpass.grading.limits import Limits
from backpass.grading.processes import Run
from backpass.grading.submissions import submissions
from backpass.terminal.model_file import load_module
from tests.grading.networks import REFERENCE, RIGHT, edited, handed_in

PATIENT = Limits(seconds=60.0, clock=300.0)  # a shared machine may stall for some of them
HASTY = Limits(seconds=2.0, megabytes=300, clock=300.0)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return reference_key(tmp_path_factory.mktemp("reference"), REFERENCE)


def reference_key(folder: Path, text: str) -> Key:
    file = folder / "reference.py"
    file.write_text(text, "utf-8")
    return key(load_module(file))


def graded(folder: Path, answers: Key, limits: Limits = PATIENT, **way: object):
    found = grade(submissions(folder), answers, Way(limits, seed=1, **way))
    return {one.name.removesuffix(".py"): one for one in found}


def verdicts(one: Graded) -> list[str]:
    return [tensor.verdict for tensor in one.tensors]


def test_a_repaired_line_says_nothing_but_what_the_submission_says():
    source = "import numpy as np\ndef back(a, d):\n    return d * (1 - a)\n"
    assert is_of(source, "return d * (1 - a**2)")
    assert is_of(source, "d = d.sum(axis=0, keepdims=True)")
    for forged in (
        "give(100)",
        "print('full marks')",
        "a = 'well done'",
        "d  # well done",
        "d\x1b[2J",
        "a " * 200,
    ):
        assert not is_of(source, forged)


# ── what people hand in ──────────────────────────────────────────────────────────────────────


def test_verdicts_scores_and_hints(tmp_path: Path, answers: Key):
    folder = handed_in(
        tmp_path / "in",
        right=RIGHT,
        slope=edited("dA1 * (1 - A1**2)", "dA1 * (1 - A1)"),
        mean=edited(" / len(X)", ""),
        loss=edited(" * A2 * (1 - A2)", ""),
        turned=edited('"W1": X.T @ dZ1', '"W1": dZ1.T @ X').replace("A1.T @ dZ2", "dZ2.T @ A1"),
        missing=edited('"b1": dZ1.sum(0), ', ""),
        shape=edited("dZ1.sum(0)", "dZ1"),
        sign=edited("X.T @ dZ1", "-X.T @ dZ1"),
        kept=edited("def grads", "kept = 0\n\n\ndef grads").replace(
            "    return", "    global kept\n    kept = kept + dZ2.sum(0)\n    return"
        ).replace('"b2": dZ2.sum(0)', '"b2": kept'),
        wild=edited("dA1 * (1 - A1**2)", "dA1 * np.cos(7 * A1) ** 3"),
        nan=edited("X.T @ dZ1", "X.T @ dZ1 * np.nan"),
    )  # fmt: skip
    found = graded(folder, answers)
    assert {name: (one.verdict, one.right) for name, one in found.items()} == {
        "right": ("correct", 4),
        "slope": ("bug", 2),
        "mean": ("correct up to a scale", 0),
        "loss": ("correct for another loss", 0),
        "turned": ("correct in the other layout", 2),
        "missing": ("bug", 3),
        "shape": ("bug", 3),
        "sign": ("bug", 3),
        "kept": ("bug", 3),
        "wild": ("unknown", 2),
        "nan": ("unknown", 3),
    }
    (slope,) = found["slope"].hints
    assert (slope.bug, slope.tensors, slope.line) == (23, ("W1", "b1"), 10)
    assert slope.source == "dZ1 = dA1 * (1 - A1)"
    assert [one.bug for one in found["sign"].hints] == [2]
    assert [one.bug for one in found["kept"].hints] == [48]
    assert found["missing"].hints[0].explanation == "no gradient of b1 is handed in"
    assert found["shape"].hints[0].explanation == "the gradient of b1 is 6×5"


def test_what_a_teacher_accepts_counts(tmp_path: Path, answers: Key):
    folder = handed_in(tmp_path / "in", mean=edited(" / len(X)", ""))
    assert graded(folder, answers)["mean"].score == 0
    assert graded(folder, answers, accept=("scale",))["mean"].score == 1


def test_returned_in_another_form(tmp_path: Path, answers: Key):
    last = RIGHT.splitlines()[-1]
    values = last.removeprefix("    return {").removesuffix("}")
    bare = [part.partition(": ")[2] for part in values.split(", ")]
    names = edited('"W1": X', '"dW1": X').replace('"b1": dZ1', '"db1": dZ1')
    folder = handed_in(
        tmp_path / "in",
        tuple=edited(last, f"    return {', '.join(bare)}"),
        behind=edited("return {", "return 0.5, {"),
        prefixed=names.replace('"W2": A1', '"dW2": A1').replace('"b2": dZ2', '"db2": dZ2'),
        kept=edited("dZ1.sum(0)", "dZ1.sum(0, keepdims=True)"),
        half=edited("return {", "G = {") + "    return {k: v.astype('f4') for k, v in G.items()}\n",
    )
    found = graded(folder, answers)
    assert {name: one.verdict for name, one in found.items()} == dict.fromkeys(found, "correct")


TRAINS = """
    for name, gradient in grads(params, X, y).items():
"""


def test_code_that_trains(tmp_path: Path):
    in_place = f"\n\ndef update(params, X, y, lr):{TRAINS}        params[name] -= lr * gradient\n"
    renewed = (
        "\n\ndef update(params, X, y, lr):\n    G = grads(params, X, y)\n"
        "    return {name: params[name] - lr * G[name] for name in G}\n"
    )
    early = RIGHT.replace("grads(params, X, y)", "update(params, X, y, lr)").replace(
        "    dA1 =", '    params["W2"] -= lr * A1.T @ dZ2\n    dA1 ='
    ).replace(
        RIGHT.splitlines()[-1],
        '    params["b2"] -= lr * dZ2.sum(0)\n    params["W1"] -= lr * X.T @ dZ1\n'
        '    params["b1"] -= lr * dZ1.sum(0)',
    )  # fmt: skip
    folder = handed_in(tmp_path / "in", place=RIGHT + in_place, new=RIGHT + renewed, early=early)
    found = graded(folder, reference_key(tmp_path, REFERENCE + '\nCALL, RATE = "update", 0.5\n'))
    assert {name: one.verdict for name, one in found.items()} == {
        "place": "correct", "new": "correct", "early": "bug"
    }  # fmt: skip
    assert [one.bug for one in found["early"].hints] == [31]


def test_a_class_whose_method_trains(tmp_path: Path):
    trains = RIGHT + (
        "\n\nclass Network:\n    def __init__(self, sizes):\n"
        "        a, b, c = sizes\n"
        "        self.W1, self.b1 = np.zeros((a, b)), np.zeros((1, b))\n"
        "        self.W2, self.b2 = np.zeros((b, c)), np.zeros((1, c))\n\n"
        "    def step(self, X, y, rate):\n        G = grads(vars(self), X, y)\n"
        "        for name in G:\n"
        "            setattr(self, name, getattr(self, name) - rate * G[name])\n"
    )
    more = REFERENCE + '\nCALL, MAKE = "Network.step", "Network([4, 5, 3])"\n'
    folder = handed_in(
        tmp_path / "in",
        right=trains,
        wrong=trains.replace("1 - A1**2", "1 - A1"),
        narrow=trains.replace("np.zeros((b, c))", "np.zeros((c, b))"),
    )
    found = graded(folder, reference_key(tmp_path, more))
    assert (found["right"].verdict, found["wrong"].verdict) == ("correct", "bug")
    assert found["wrong"].hints[0].line == 10
    assert found["narrow"].reason == "its W2 is 3×5, and the reference's is 5×3"


def test_a_folder_is_one_submission_and_imports_its_own_files(tmp_path: Path, answers: Key):
    inside = tmp_path / "in" / "ada"
    (inside / "net").mkdir(parents=True)
    (inside / "net" / "slopes.py").write_text("def tanh(A):\n    return 1 - A\n")
    (inside / "main.py").write_text(
        edited("(1 - A1**2)", "tanh(A1)").replace(
            "import numpy", "from net.slopes import tanh\nimport numpy"
        )
    )
    (hint,) = graded(tmp_path / "in", answers)["ada"].hints
    assert (hint.bug, hint.file, hint.line) == (23, "net/slopes.py", 2)


def test_a_loss_of_its_own_is_compared_and_never_counted(tmp_path: Path, answers: Key):
    loss = "\n\ndef loss(params, X, y):\n    return 7.0\n"
    one = graded(handed_in(tmp_path / "in", ada=RIGHT + loss), answers)["ada"]
    assert (one.verdict, one.notes) == ("correct", ("its own loss is not the reference's",))


# ── what people should not hand in ───────────────────────────────────────────────────────────

REASONS = {
    "endless": "while True:\n    pass\n",
    "leaves": "import os\nos._exit(0)\n",
    "exits": "import sys\nsys.exit(0)\n",
    "raises": "raise RuntimeError('\\x1b[2Jno')\n",
    "syntax": "def grads(:\n",
    "nothing": "x = 1\n",
    "silent": "def grads(params, X, y):\n    return None\n",
    "words": "def grads(params, X, y):\n    return {name: 'ok' for name in params}\n",
    "dies": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "deep": "def grads(params, X, y):\n    return grads(params, X, y)\n",
    "huge": "import numpy as np\nkept = np.ones(10**9)\n",
    "eats": "kept = []\nwhile True:\n    kept.append(bytearray(10**7))\n",
}


def test_what_cannot_be_graded_says_why_and_stops_nothing(tmp_path: Path, answers: Key):
    found = graded(handed_in(tmp_path / "in", right=RIGHT, **REASONS), answers, HASTY)
    assert found.pop("right").score == 1
    assert {one.verdict for one in found.values()} == {None}
    assert {one.score for one in found.values()} == {0}
    reasons = {name: one.reason for name, one in found.items()}
    assert reasons["endless"] == "it took too long"
    assert reasons["leaves"] == "it ended without an answer, with exit status 0"
    assert reasons["exits"] == "SystemExit: 0"
    assert reasons["raises"] == "RuntimeError: [2Jno"
    assert (reasons["syntax"], found["syntax"].line) == ("SyntaxError: invalid syntax", 1)
    assert reasons["nothing"] == "there is no function grads"
    assert reasons["silent"] == "it changes no parameter, and returns no arrays"
    assert reasons["words"] == reasons["silent"]
    assert reasons["dies"] == "it ended without an answer, by SIGSEGV"
    assert reasons["deep"].startswith("RecursionError")
    assert reasons["huge"].startswith(("MemoryError", "_ArrayMemoryError"))
    assert reasons["eats"].startswith("MemoryError")


ATTACKS = {
    "forks": """
import os
for _ in range(8):
    os.fork()
""",
    "spawns": "import subprocess\nsubprocess.run(['sleep', '60'])\n",
    "floods": """
import sys, os
for _ in range(2000):
    sys.stdout.write('x' * 10**5)
    os.write(1, b'x' * 10**5)
""" + RIGHT,
    "forges": """
import os
from backpass.grading.child import LENGTH
for line in range(3, 64):
    try:
        os.write(line, LENGTH.pack(10**15) + b'\\x93NUMPY')
    except OSError:
        pass
""" + RIGHT,
    "claims": """
import os, numpy as np
from backpass.grading.frames import packed
from backpass.grading.child import LENGTH
params = {"W1": (4, 5), "b1": 5, "W2": (5, 3), "b2": 3}
arrays = [np.array([0, 0]), np.zeros(0)]
for _ in range(2):
    arrays += [np.array([1, 0]), *map(np.ones, params.values())]
content = packed(arrays)
for line in range(3, 64):
    try:
        os.write(line, LENGTH.pack(len(content)) + content)
    except OSError:
        pass
os._exit(0)
""",
    "lies": """
import numpy as np, json, sys
import backpass.grading.judge, backpass.grading.graded
sys.modules["backpass.grading.judge"]._times = lambda *_: 1.0
sys.modules["backpass.grading.graded"].Graded.score = 1.0
np.allclose = np.array_equal = lambda *_, **more: True
json.dumps = lambda *_, **more: '{"score": 1}'
sys.modules["json"] = None
""" + edited("1 - A1**2", "1 - A1"),
    "pickles": """
import os
class Evil:
    def __reduce__(self):
        return os.system, ("touch pickled",)
def grads(params, X, y):
    import numpy as np
    return {name: np.array([Evil()], dtype=object) for name in params}
""",
    "equals": """
import numpy as np
class Always(np.ndarray):
    def __sub__(self, other): return np.zeros(np.shape(other))
    __rsub__ = __sub__
    def __eq__(self, other): return True
def grads(params, X, y):
    return {name: np.ones_like(one).view(Always) for name, one in params.items()}
""",
}  # fmt: skip


def test_no_submission_sets_its_score_or_moves_another(tmp_path: Path, answers: Key):
    folder = handed_in(
        tmp_path / "in", ada=RIGHT, zoe=edited("1 - A1**2", "1 - A1"), **ATTACKS
    )  # fmt: skip
    found = graded(folder, answers, HASTY)
    assert (found["ada"].score, found["zoe"].score) == (1, 0.5)
    assert found["zoe"].hints[0].bug == 23
    assert found["floods"].score == 1  # nobody hears it
    assert (found["lies"].score, found["lies"].hints[0].bug) == (0.5, 23)
    assert found["forks"].reason.startswith(("BlockingIOError", "PermissionError"))
    assert found["spawns"].reason.startswith(("BlockingIOError", "PermissionError"))
    assert found["forges"].reason == "it answers with more than the arrays that were asked for"
    assert (found["claims"].score, found["claims"].verdict) in ((0, "bug"), (0, "unknown"))
    assert found["pickles"].score == found["equals"].score == 0
    assert not list(tmp_path.rglob("pickled"))


STAYS = """
import signal, time
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU, signal.SIGALRM):
    signal.signal(one, signal.SIG_IGN)
def grads(params, X, y):
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
"""


def test_what_only_sleeps_is_ended_by_the_clock(tmp_path: Path, answers: Key):
    folder = handed_in(tmp_path / "in", stays=STAYS)
    assert graded(folder, answers, Limits(clock=3.0))["stays"].reason == "it took too long"


def test_it_neither_reads_what_it_is_held_to_nor_changes_what_others_hand_in(
    tmp_path: Path, answers: Key
):
    seeks = """
import gc, sys, numpy as np
names = [name for name in sys.modules if name.startswith("backpass.grading")]
assert "backpass.grading.key" not in names, names
assert "backpass.grading.judge" not in names, names
assert not any("reference" in str(one)[:200] for one in gc.get_objects() if isinstance(one, str))
"""
    folder = tmp_path / "in"
    ruins = f"""
import glob, os
for file in glob.glob({str(folder)!r} + "/*"):
    try:
        os.remove(file)
    except OSError:
        pass
"""
    handed_in(folder, aaa=ruins + RIGHT, bbb=ruins + RIGHT, seeks=seeks + RIGHT, zoe=RIGHT)
    found = graded(folder, answers, jobs=1)
    assert {name: one.score for name, one in found.items()} == dict.fromkeys(found, 1)


def test_nobody_reads_the_memory_that_holds_the_key(tmp_path: Path, answers: Key):
    def is_open() -> int:
        return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE

    seen: list[int] = []
    folder = handed_in(tmp_path / "in", ada=RIGHT)
    grade(submissions(folder), answers, Way(PATIENT), lambda *one: seen.append(is_open()))
    assert (seen, is_open()) == ([0], 1)


def test_when_the_zygote_is_lost_what_it_ran_is_run_again(
    tmp_path: Path, answers: Key, monkeypatch: pytest.MonkeyPatch
):
    give = Run.give

    def losing(run: Run, task: list[np.ndarray]):
        if b"its zygote dies" in task[0].tobytes():
            run._zygote._process.kill()
        give(run, task)

    monkeypatch.setattr(Run, "give", losing)
    folder = handed_in(tmp_path / "in", ada=RIGHT, kills=RIGHT + "# its zygote dies\n", zoe=RIGHT)
    found = graded(folder, answers, HASTY)
    assert (found["ada"].score, found["zoe"].score) == (1, 1)
    assert found["kills"].reason == "it ended the process that runs it"


def test_results_are_plain_data_up_to_a_level(tmp_path: Path, answers: Key):
    one = graded(handed_in(tmp_path / "in", ada=edited("1 - A1**2", "1 - A1")), answers)["ada"]
    assert set(one.to_json("verdict")) & {"tensors", "hints"} == set()
    (where,) = one.to_json("where")["hints"]
    (what,) = one.to_json("what")["hints"]
    (fix,) = one.to_json("fix")["hints"]
    assert set(where) < set(what) < set(fix)
    assert (where["line"], what["bug"]) == (10, 23)
    assert json.loads(json.dumps(one.to_json())) == one.to_json()
