"""Formula text -> statements, each of which may name its value for the ones after it.

statement   [name = | name <-] expression, up to the end of the line or a semicolon
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backpass.forward.grammar import CONSTANTS, Scope, read_expression
from backpass.forward.syntax import Statement
from backpass.forward.tokens import Token, refusal, tokenize
from backpass.language.errors import NotationError


def parse(
    source: str, functions: Collection[str], given: Collection[str] = ()
) -> tuple[Statement, ...]:
    """Read formula text, in which a name before a bracket is a call if it is one of `functions`.

    Quantities hide functions: those that are `given`, and those that a statement has named.
    Raises `NotationError` or `UnknownName`, which quote the statement and mark the place.
    """
    quantities = set(given)
    statements: list[Statement] = []
    try:
        for tokens in _split(tokenize(source)):
            scope = Scope(source, functions, quantities)
            statement = _statement(len(statements), tokens, scope)
            statements.append(statement)
            if statement.target is not None:
                quantities.add(statement.target)
    except (RecursionError, MemoryError) as error:
        raise NotationError("the formula is too deeply nested to be read") from error
    if not statements:
        raise NotationError("the formula is empty")
    return tuple(statements)


def targets(source: str) -> tuple[str, ...]:
    """The names that a text assigns or updates, in order, each once."""
    heads = (_head(tokens)[0] for tokens in _split(tokenize(source)))
    return tuple(dict.fromkeys(head for head in heads if head is not None))


def _split(tokens: list[Token]) -> Iterator[list[Token]]:
    piece: list[Token] = []
    for token in tokens:
        if token.kind != "separator":
            piece.append(token)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _head(tokens: list[Token]) -> tuple[str | None, str]:
    """What a statement names, and whether by `=` or `<-`."""
    if len(tokens) > 1 and tokens[0].kind == "name" and tokens[1].text in ("=", "<-"):
        return tokens[0].text, tokens[1].text
    return None, ""


def _statement(index: int, tokens: list[Token], scope: Scope) -> Statement:
    target, sign = _head(tokens)
    start, end = tokens[0].start, tokens[-1].end
    if target in CONSTANTS or (target in scope.functions and target not in scope.quantities):
        message = f"{target} has a meaning of its own here; give the result another name"
        raise refusal(message, scope.source, start, tokens[0].end)
    body = read_expression(tokens[2:] if target else tokens, end, scope)
    text = " ".join(scope.source[start:end].split())
    return Statement(start, end, index, target, sign == "<-", text, body)
