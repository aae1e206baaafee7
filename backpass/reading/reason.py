"""The one sentence below each backward step: why it looks as it does.

Explanations are made here, and at length in `why`, from the origin of a step, the notes that
the calculus left, and the matrix pattern that was recognised. Nothing is said that was not
read off one of these.
"""

from __future__ import annotations

from fractions import Fraction

from backpass.language.expr import (
    MINUS_ONE,
    Apply,
    Label,
    Number,
    Power,
    Product,
    Read,
    Term,
    children,
    labels,
    reads,
)
from backpass.language.program import Call, Step
from backpass.reading import tree
from backpass.reading.flow import Flow, flows
from backpass.reading.functions import CALLS, HELPERS, SLOPES
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Dialect, Name, Shown
from backpass.reading.spelling import factors, spell_size, spell_term, spell_tree
from backpass.reading.words import Words, listed, words


def reason(passes: Passes, step: Step) -> Words:
    """Why a backward step looks as it does, in one sentence."""
    parts = flows(passes, step)
    if not parts:
        return _without_origin(step)
    if len(parts) > 1:
        return shared(parts)
    return flow_reason(passes, parts[0])


def _without_origin(step: Step) -> Words:
    if isinstance(step.body, Call):
        return _helper(step.body.function.name)
    if not step.body:
        return words("nothing of the loss changes with it: what flows back adds up to zero")
    return words("the next line needs it")


def _helper(function: str) -> Words:
    if function.startswith("∇"):
        text = "{c} was only declared, so its gradient {g} stays a symbol"
        return words(text, c=function[1:], g=function)
    return words(HELPERS.get(function, "the lines below need it"))


def shared(parts: list[Flow]) -> Words:
    """A quantity used in several places collects a gradient from each."""
    places = list(dict.fromkeys(part.source.name for part in parts))
    operand = parts[0].operand
    if len(places) == 1:
        return words(
            "{a} stands {count} times in {z}, so {count} gradients are added",
            a=operand, count=_count(len(parts)), z=places[0],
        )  # fmt: skip
    return words(
        "{a} is used in {places}, so the {count} gradients are added",
        a=operand, places=listed([words("{z}", z=place) for place in places]),
        count=_count(len(parts)),
    )  # fmt: skip


def _count(number: int) -> Words:
    return (
        dict(enumerate(["no", "one", "two", "three", "four", "five"])).get(number, str(number)),
    )


def flow_reason(passes: Passes, flow: Flow) -> Words:
    """Why one read sends back what it does."""
    if isinstance(flow.source.body, Call):
        return _call_reason(flow)
    if (note := cancelled(flow)) is not None:
        return note
    product = core(flow.back)
    match product:
        case tree.Matmul():
            return matmul_reason(passes, flow, product)
        case tree.Outer():
            return words(
                "each entry of {w} joins one entry of {a} to one of {z}: nothing is summed",
                w=flow.operand, a=_other(flow), z=flow.source.name,
            )  # fmt: skip
        case _:
            return _entrywise_reason(passes, flow)


def core(node: tree.Node | None) -> tree.Node | None:
    """The product inside scalings, signs and quotients."""
    match node:
        case tree.Negative(value=value) | tree.Spread(value=value):
            return core(value)
        case tree.Quotient(above=above):
            return core(above)
        case tree.Times(factors=parts):
            found = [core(part) for part in parts]
            products = [part for part in found if isinstance(part, (tree.Matmul, tree.Outer))]
            return products[0] if len(products) == 1 else node
        case _:
            return node


# ── products ─────────────────────────────────────────────────────────────────────────────────


def matmul_reason(passes: Passes, flow: Flow, product: tree.Matmul) -> Words:
    """Why a label is summed, and which factor had to be transposed for that."""
    summed = product.summed
    name = called(summed, product)
    if is_shared(passes, flow, summed):
        place = direction(flow, summed)
        first = words(
            "every {place}{n} used the same {w}, so {n} is summed",
            place=(f"{place} ",) if place else (), n=name, w=flow.operand,
        )  # fmt: skip
    else:
        stay = [words("{n}", n=label) for label in staying(flow, summed)]
        verb = "stays" if len(stay) == 1 else "stay"
        first = words("{m} is summed", m=name)
        if stay:
            first += words(" ({stay} " + verb + ")", stay=listed(stay))
    return first + words("; ") + listed(_turns(passes, product))


def _turns(passes: Passes, product: tree.Matmul) -> list[Words]:
    """For each transposed factor, where the summed label stood in it."""
    sides = factors(product, passes.dialect)
    text = "{a} has {n} {place}, hence {mark}"
    turned = [
        words(
            text,
            a=spell_tree(side.value, passes.dialect),
            n=called(product.summed, product),
            place=(standing(side.value, product.summed, passes.dialect),),
            mark=(mark(side, passes),),
        )
        for side in sides
        if isinstance(side, tree.Transpose)
    ]
    if turned:
        return turned
    left, right = (spell_tree(side, passes.dialect) for side in sides)
    text = "{a} has {n} last and {b} has it first: nothing to transpose"
    return [words(text, a=left, b=right, n=called(product.summed, product))]


def called(label: Label, product: tree.Matmul) -> Shown:
    """A label by the size that the shapes show, where no other axis has it."""
    axes = {*product.left.axes, *product.right.axes}
    alone = sum(other.size == label.size for other in axes) == 1
    return spell_size(label.size) if alone and label.size.is_name else Name(label.name)


def mark(factor: tree.Transpose, passes: Passes) -> str:
    """How a transpose is written, after `hence`."""
    if len(factor.axes) > 2:
        return ".mT"
    return ".T" if passes.dialect == "code" else "ᵀ"


def standing(node: tree.Node, label: Label, dialect: Dialect) -> str:
    """Where a label stands among the axes of a factor; a column has it first, and then a 1."""
    if len(node.axes) == 1:
        return "first" if dialect == "math" else "alone"
    return "last" if node.axes[-1] == label else "first"


def direction(flow: Flow, label: Label) -> str:
    """Whether a label counts rows or columns of what flows in; "" where neither word fits."""
    for write in flow.writes:
        for read in reads(write.term):
            if read.name == flow.inflow and label in read.index and len(read.index) == 2:
                return ("row", "column")[read.index.index(label)]
    return ""


def staying(flow: Flow, summed: Label) -> list[Label]:
    """The labels that what flows in shares with the gradient."""
    here = [part for part in flow.writes[0].left if isinstance(part, Label)]
    inflow = [
        label
        for write in flow.writes
        for read in reads(write.term)
        if read.name == flow.inflow
        for label in read.index
    ]
    return [label for label in here if label in inflow and label != summed]


def is_shared(passes: Passes, flow: Flow, summed: Label) -> bool:
    """Whether the sum runs over samples, which all used the same operand."""
    samples = passes.samples
    if samples is None:
        return any(flow.operand == array.name for array in passes.forward.inputs)
    return summed.size == samples


def _other(flow: Flow) -> Words:
    """The other factors of a product that holds the read."""
    assert flow.write is not None
    names = dict.fromkeys(read.name for read in reads(flow.write.term) if read.name != flow.operand)
    return listed([words("{a}", a=name) for name in names])


# ── entry by entry ───────────────────────────────────────────────────────────────────────────


def cancelled(flow: Flow) -> Words | None:
    """The numbers that met on the way back and left nothing, if the calculus noted any."""
    note = next((note for note in flow.notes if note.kind == "cancelled"), None)
    if note is None:
        return None
    values = [value for value in note.data if isinstance(value, Fraction) and abs(value) != 1]
    if not values:
        return None
    if sorted(values) == [Fraction(1, 2), Fraction(2)] and _squared(flow):
        return words("the 2 of the square meets the ½: no factor is left")
    return listed([words("{x}", x=spell_term(Number(value))) for value in values]) + words(
        " meet: no factor is left"
    )


def _squared(flow: Flow) -> bool:
    return any(isinstance(n, Power) and n.exponent == Number(Fraction(2)) for n in enclosing(flow))


def enclosing(flow: Flow) -> list[Term]:
    """The nodes around the read in its forward term, from the outside in."""
    if flow.write is None:
        return []
    trail: list[Term] = []
    node = flow.write.term
    while node != flow.origin.read:
        trail.append(node)
        node = next(part for part in children(node) if flow.origin.read in reads(part))
    return trail


def _entrywise_reason(passes: Passes, flow: Flow) -> Words:
    clauses = [*_slopes(flow), *_moves(passes, flow), *_copies(flow), *_sums(flow)]
    if not clauses:
        clauses = [_identity(flow)]
    return tuple(
        part
        for place, clause in enumerate(clauses)
        for part in (words("; ") + clause if place else clause)
    )


def _slopes(flow: Flow) -> list[Words]:
    """What the functions, powers and factors around the read say."""
    clauses: list[Words] = []
    found = core(flow.back)
    product = isinstance(found, tree.Times) and bool(found.axes)
    for node in enclosing(flow):
        match node:
            case Apply(function=function):
                clauses.append(_function(function.name, product))
            case Power(exponent=Number(value=value)):
                clauses.append(_power(value))
            case Product(factors=parts) if _has_others(parts, flow.origin.read):
                clauses.append(words("each factor is the other one's slope"))
            case _:
                pass
    return list(dict.fromkeys(clauses))


def _has_others(parts: tuple[Term, ...], read: Read) -> bool:
    held = next(part for part in parts if read in reads(part))
    return any(reads(part) for part in parts if part is not held)


def _function(name: str, product: bool) -> Words:
    known = SLOPES.get(name)
    if known is None:
        known = words("its slope {slope} stays a symbol", slope=f"{name}′")
    first = "{f} acts entry by entry, so ⊙; " if product else "{f}: "
    return words(first, f=(name,)) + known


def _power(exponent: Fraction) -> Words:
    if exponent == 2:
        return words("the slope of a square is twice its base")
    if exponent == -1:
        return words("the slope of 1/x is −1/x²")
    if exponent == Fraction(1, 2):
        return words("the slope of √x is 1/(2√x)")
    return words("the slope of a power is the exponent times the next lower power")


def _copies(flow: Flow) -> list[Words]:
    """Labels along which the operand was used again and again are added up."""
    summed = flow.summed
    if not summed:
        return []
    alone = flow.write is not None and not any(
        read != flow.origin.read for read in reads(flow.write.term)
    )
    used = "was copied to" if alone else "was used for"
    if alone and _subtracted(flow):
        used = "was subtracted from"
    rank = len(flow.source.target.shape)
    if len(summed) == rank > 1:
        return [words("{b} " + used + " every entry, so all are added up", b=flow.operand)]
    if len(summed) == 1 and (place := direction(flow, summed[0])):
        minus = ", with a minus" if "subtracted" in used else ""
        text = f"{used} every {place}, so the {place}s are added up{minus}"
        return [words("{b} " + text, b=flow.operand)]
    labels = listed([words("{n}", n=label) for label in summed])
    verb = "is" if len(summed) == 1 else "are"
    text = f"{{b}} {used} every {{n}}, so {{n}} {verb} summed"
    return [words(text, b=flow.operand, n=labels)]


def _subtracted(flow: Flow) -> bool:
    return any(isinstance(n, Product) and n.factors[0] == MINUS_ONE for n in enclosing(flow))


def _sums(flow: Flow) -> list[Words]:
    """Labels that the forward pass summed over: every entry gets what flows into the sum."""
    if flow.write is None or len(enclosing(flow)) > 1:
        return []
    mine = labels(*flow.origin.read.index)
    summed = [label for label in flow.write.summed if label in mine]
    if not summed or any(read != flow.origin.read for read in reads(flow.write.term)):
        return []
    over = listed([words("{n}", n=label) for label in summed])
    if isinstance(flow.write.term, Product):  # a mean, or another number times the sum
        return [words("every {n} was summed with the same weight and gets that share", n=over)]
    return [words("every {n} was added up once, so each gets the same", n=over)]


def _moves(passes: Passes, flow: Flow) -> list[Words]:
    """What became of an index that is not plain labels: moved entries go back where they were."""
    a, z = flow.operand, flow.source.name
    if any(reads(part) for part in flow.origin.read.index):
        rows = listed([words("{i}", i=one.name) for one in reads(*flow.origin.read.index)])
        return [words("{a} is read at {ids}: what is read often collects a sum", a=a, ids=rows)]
    match matrix(flow.source, passes.arrays):
        case tree.Transpose():
            return [words("{z} is {a} with its axes exchanged; this exchanges them back", z=z, a=a)]
        case tree.Reshaped():
            return [
                words("{z} holds the entries of {a} in another shape; this turns back", z=z, a=a)
            ]
        case tree.Stacked():
            return [words("{a} is one part of {z} and takes its part of what flows in", z=z, a=a)]
        case tree.Picked():
            return [words("only these entries of {a} were used; the others get 0", a=a)]
        case tree.Diagonal():
            return [words("only the diagonal of {a} was used; the rest gets 0", a=a)]
        case None if not all(isinstance(part, Label) for part in flow.origin.read.index):
            return [words("an entry of {a} that is read several times collects a sum", a=a)]
        case _:
            return []


def _identity(flow: Flow) -> Words:
    """Nothing but a sign or a number stands between the operand and the result."""
    a, z = flow.operand, flow.source.name
    factor = next((f for f in enclosing(flow) if isinstance(f, Product)), None)
    if factor is not None:
        if factor.factors[0] == MINUS_ONE and len(factor.factors) == 2:
            return words("{a} is subtracted in {z}, so the sign turns", a=a, z=z)
        return words("a factor in front stays in front")
    if len(flow.source.writes) > 1:
        return words("{a} is added as it is: its slope in {z} is 1", a=a, z=z)
    return words("{z} is {a} itself, so the factor is 1", z=z, a=a)


# ── functions of whole arrays ────────────────────────────────────────────────────────────────


def _call_reason(flow: Flow) -> Words:
    assert isinstance(flow.source.body, Call)
    name = flow.source.body.function.name
    if name in CALLS:
        return CALLS[name]
    return words("{f} has a rule of its own for what flows back", f=name)
