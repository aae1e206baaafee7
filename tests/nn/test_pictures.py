"""Pictures hold the numbers that they are made of, and nothing of the machine that made them."""

import io
import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import numpy as np
from matplotlib.image import imread

from backpass.nn.history import History
from backpass.nn.pictures import NEGATIVE, POSITIVE, drawing, ink, reduced, scatter, signed


def pixels(data):
    start = "data:image/png;base64,"
    assert data.startswith(start)
    return np.rint(imread(io.BytesIO(b64decode(data[len(start) :]))) * 255)


def test_colour_is_the_sign_and_density_the_size():
    found = pixels(signed(np.array([[1.0, -0.5, 0.0, -3.0]]), limit=1.0))
    assert found.shape == (1, 4, 4)
    assert found[0, :2, :3].tolist() == [list(POSITIVE), list(NEGATIVE)]
    assert found[0, :, 3].tolist() == [255, 128, 0, 255]


def test_weights_that_are_all_zero_are_paper():
    assert (pixels(signed(np.zeros(3), 0.0))[..., 3] == 0).all()


def test_ink_is_black_on_no_paper():
    found = pixels(ink(np.array([[0.0, 1.0]])))
    assert found[0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 255]]


def test_a_large_matrix_keeps_what_is_largest():
    values = np.zeros((1000, 5))
    values[523, 3], values[990, 0] = -7, 2
    small = reduced(values)
    assert small.shape == (91, 5)
    assert (small.min(), small.max()) == (-7, 2)


def test_a_drawing_is_in_the_letters_and_colours_of_its_page():
    history = History(loss=[1.0, 0.5, 0.25])
    text = drawing(history.plot("loss"), 'the "loss"')
    root = ET.fromstring(text)
    assert root.tag == "svg"
    assert root.get("fill") == "currentColor"
    assert root.get("aria-label") == 'the "loss"'
    words = {one.text for one in root.iter("text")}
    assert {"epoch", "loss"} <= words
    assert not re.search(r"#000|font-family|http|<style|metadata", text)
    used = {one.get("href") for one in root.iter("use")}
    known = {f"#{one.get('id')}" for one in root.iter() if one.get("id")}
    assert used <= known
    assert drawing(history.plot("loss"), 'the "loss"') == text


def test_two_drawings_of_a_page_do_not_share_their_parts():
    history = History(loss=[1.0, 0.5], accuracy=[0.5, 1.0])
    names = [
        set(re.findall(r' id="(\w+)"', drawing(history.plot(one), one)))
        for one in ("loss", "accuracy")
    ]
    assert all(names)
    assert not names[0] & names[1]


def test_outputs_stand_over_their_targets():
    targets = np.arange(6.0).reshape(3, 2)
    axes = scatter(targets, targets + 1).axes[0]
    assert axes.lines[1].get_xydata().tolist() == [[1, 2], [3, 4], [5, 6]]
