"""Every function that can be differentiated has something to be said about it."""

from backpass.calculus import library
from backpass.calculus.op import SCALARS
from backpass.calculus.whole import FUNCTIONS
from backpass.reading.functions import CALLS, CALLS_AT_LENGTH, SLOPES


def test_every_function_of_numbers_has_its_clause():
    assert library.FUNCTIONS  # the library knows them all
    assert SCALARS.keys() - SLOPES.keys() == set()


def test_every_function_of_arrays_has_its_clause_and_its_account():
    assert FUNCTIONS.keys() - CALLS.keys() == set()
    assert CALLS.keys() == CALLS_AT_LENGTH.keys()
