"""The page about a network: whole, self-contained, and true."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.exam import examine
from backpass.nn.report import Report, is_report, report_html, write_report
from backpass.nn.target import Target

RANDOM = np.random.default_rng(0)
VOID = {"img", "meta", "br", "wbr"}
HIDDEN = bp.Dense(5, "tanh")


class Page(HTMLParser):
    """What a browser would find: balanced elements, pictures, and all that is loaded."""

    def __init__(self, text):
        super().__init__()
        self.open, self.pictures, self.loaded, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.loaded += [one for name, one in attributes if name in ("src", "srcset", "data")]
        if tag in ("link", "iframe", "object"):
            self.loaded.append(tag)
        if tag == "img":
            self.pictures.append(given["alt"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass  # of SVG and MathML

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


def trained(layers=(HIDDEN, 3), y=None, epochs=3, **options):
    """A network on pictures of 2×3 pixels, and what came out."""
    X = RANDOM.random((30, 6))
    y = np.arange(30) % 3 if y is None else y
    columns = options.get("convention") == "columns"
    X = X.T if columns else X
    layers = [bp.Dense(one) if isinstance(one, int) else one for one in layers]
    net = bp.Network(layers, inputs=6, **options)
    history = net.fit(X, y, epochs=epochs, progress=False)
    return net, history, examine(net, X, y)


def test_the_page_tells_what_came_out():
    net, history, exam = trained()
    check = net.derivation().check()
    given = Report("Little & large", net, history, exam, "Some <noise>.", check)
    text = report_html(given)
    page = Page(text)
    assert all(one.startswith("data:image/png") for one in page.loaded)
    assert not re.search(r"url\((?!data:|#)|@import|https?://", text)
    for fact in (
        "Little & large", "Some <noise>.", str(net), f"{exam.score:.1%}",
        f"wrong {len(exam.misread)}", "Forward pass", "Backward pass", "All 4 gradients agree",
        "W′[k,j] = W[k,j] - lr * dW[k,j]", f"{history.loss[-1]:.4g}", f"{exam.loss:.4g}",
    ):  # fmt: skip
        assert fact in page.text, fact
    for name in net.weights:
        assert f"values of {name}" in page.pictures
        assert f"gradient of {name}" in page.pictures
        assert f"{np.linalg.norm(exam.gradients[name]):.3g}" in page.text
    assert text.count("<svg") == 2


@pytest.mark.parametrize("bias", ["separate", "augmented", None])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_pictures_are_drawn_with_the_gradient_beside_them(convention, bias):
    net, history, exam = trained(convention=convention, bias=bias)
    pictures = exam.inputs.reshape(-1, 2, 3)
    page = Page(report_html(Report("", net, history, exam, pictures=pictures)))
    for unit in range(5):
        pair = [f"weights of unit {unit}", f"gradient of unit {unit}"]
        place = page.pictures.index(pair[0])
        assert page.pictures[place : place + 2] == pair
    assert exam.misread
    for place in exam.misread[:12]:
        assert f"gradient of its pixels, {place}" in page.pictures


def test_a_single_layer_is_drawn_by_class():
    net, history, exam = trained([3])
    pictures = exam.inputs.reshape(-1, 2, 3)
    report = Report("", net, history, exam, pictures=pictures, classes=["cat", "dog", "<eel>"])
    page = Page(report_html(report))
    assert "weights of unit <eel>" in page.pictures
    assert {"cat", "dog", "<eel>"} <= set(page.text.replace(",", "").split())
    mistake = exam.misread[0]
    assert f"sample {mistake}, a {report.called(exam.actual[mistake])}" in page.pictures


def test_numbers_are_drawn_beside_their_targets():
    y = RANDOM.normal(size=(30, 1))
    net, history, exam = trained([1], y, loss="mse")
    text = report_html(Report("", net, history, exam))
    page = Page(text)
    assert f"{exam.score:.3f}" in page.text
    assert "the output for each target" in text
    assert "wrong" not in page.text


def test_many_classes_become_a_list_of_mistakes():
    y = np.arange(30)
    net, history, exam = trained([30], y)
    page = Page(report_html(Report("", net, history, exam)))
    assert "The most frequent mistakes:" in page.text
    first = exam.misread[0]
    told = f"{first} {exam.actual[first]} {exam.taken[first]} {exam.certainty[first]:.1%}"
    assert f"held-out sample is taken for sure {told}" in page.text


def test_nothing_wrong_is_said():
    X, y = np.eye(6), np.arange(6)
    net = bp.Network([bp.Dense(6)], inputs=6, optimizer=bp.SGD(10.0))
    history = net.fit(X, y, epochs=20, progress=False)
    report = Report("", net, history, examine(net, X, y))
    assert "None of the 6 held-out samples." in Page(report_html(report)).text


def test_a_training_that_broke_off_is_told():
    net = bp.Network([bp.Dense(3)], inputs=6)
    net.weights["b1"][0] = np.inf
    X, y = RANDOM.random((30, 6)), np.arange(30) % 3
    with pytest.warns(RuntimeWarning, match="not finite"):
        history = net.fit(X, y, progress=False)
    net.weights["b1"][0] = 0
    text = Page(report_html(Report("", net, history, examine(net, X, y)))).text
    assert history.stopped in text


def test_answers_of_a_scaled_target_are_drawn_in_its_unit():
    X = RANDOM.random((30, 6))
    target = Target("price", (), 5000.0, 300.0)
    net = bp.Network([bp.Dense(1)], inputs=6, loss="mse")
    history = net.fit(X, X[:, :1] - 0.5, progress=False)
    exam = examine(net, X, X[:, :1] - 0.5)
    page = report_html(Report("", net, history, exam, target=target))
    drawn = page.partition("What it answers")[2]
    assert ">price<" in drawn
    assert re.search(r">4[89]\d\d<", drawn)
    assert "of price in deviations of 300 from its mean" in page
    assert ">target<" in report_html(Report("", net, history, exam))


def test_pictures_of_another_size_are_refused():
    net, history, exam = trained()
    with pytest.raises(
        ShapeError, match="give \\(n, height, width\\) for 30 samples with 6 inputs"
    ):
        Report("", net, history, exam, pictures=np.zeros((30, 2, 2)))


def test_it_is_written_whole_or_not_at_all(tmp_path):
    report = Report("", *trained())
    write_report(tmp_path / "a.html", report)
    assert is_report(tmp_path / "a.html")
    assert not is_report(__file__)
    with pytest.raises(BackpassError, match="cannot be written: no such file or directory"):
        write_report(tmp_path / "missing/a.html", report)
    assert [one.name for one in tmp_path.iterdir()] == ["a.html"]
