"""The mistakes of the catalogue as programs that train."""

from itertools import islice

import numpy as np
import pytest

from backpass.doctor.printed.programs import Program, catalogue, training
from backpass.doctor.printed.stated import stated
from tests.doctor.printed.networks import NUMBERS, classifier, published, trained


def outputs(one, program, steps):
    return next(islice(training(one, program), steps, None)).run.A[-1].ravel()


def test_the_right_program_and_a_mistaken_one_compute_what_one_writes_by_hand():
    one = stated(published(), list(NUMBERS.values()), 0.5)
    late = next(p for p in catalogue(one) if p.said[0].bug == 31)
    for steps in (0, 1, 50):
        assert np.allclose(outputs(one, Program(), steps), trained(steps)[1], rtol=1e-14)
        assert np.allclose(outputs(one, late, steps), trained(steps, late=True)[1], rtol=1e-14)


def test_the_right_program_follows_the_network_that_it_states():
    net, X, y = classifier()
    one = stated(net, (X, y), None)
    moment = next(islice(training(one, Program()), 5, None))
    net.fit(X, y, epochs=5, batch_size=6, shuffle=False, progress=False)
    assert np.allclose(one.shaped(("W", 1), moment.run.W[1]), net.weights["W1"], rtol=1e-10)
    assert moment.gradients.keys() == one.trained


def test_every_program_is_another_than_the_right_one_or_equal_to_it_by_the_network():
    one = stated(published("W1 b1 W2 b2"), list(NUMBERS.values()), 0.5)
    programs = list(catalogue(one))
    numbers = {said.bug for program in programs for said in program.said}
    assert {1, 2, 3, 10, 16, 18, 24, 27, 30, 31, 33, 36, 37, 53} <= numbers
    right = outputs(one, Program(), 1)
    apart = sum(
        not np.allclose(outputs(one, program, 1), right, rtol=1e-9)
        for program in programs
        if next(training(one, program)).gradients is not None
    )
    assert apart > 0.85 * len(programs)


def test_two_mistakes_go_together_where_they_do_not_meet():
    one = stated(published(), list(NUMBERS.values()), 0.5)
    programs = list(catalogue(one))
    late = next(p for p in programs if p.said[0].bug == 31)
    frozen = next(p for p in programs if p.said[0].bug == 36 and len(p.said) == 1)
    both = late.with_(frozen)
    assert [said.bug for said in both.said] == [31, 36]
    assert late.with_(late) is None
    assert outputs(one, both, 1) != pytest.approx(outputs(one, late, 1))
