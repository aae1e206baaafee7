"""What is said of printed numbers."""

import json

import backpass as bp
from tests.doctor.printed.networks import NUMBERS, published


def test_the_report_reads_as_a_table_with_the_mistake_below():
    report = bp.doctor(
        published(), *NUMBERS.values(), lr=0.5, printed={0: {"loss": ".29837111"},
                                                         1: {"loss": ".291027924"}}
    )  # fmt: skip
    assert str(report).splitlines()[5:14] == [
        "                printed      correct  this program",
        "  before the first step",
        "    ✓ loss    .29837111   0.29837111    0.29837111",
        "  after 1 step",
        "    ✗ loss   .291027924  0.291027774   0.291027924",
        "",
        "  W1: updated W is used for δ [31]",
        "    the error goes back through W2 after its update.",
        "    should be: dhidden = W2.T @ dZ2, with W2 as it was before the update",
    ]
    assert max(map(len, str(report).splitlines())) <= 80
    data = json.loads(json.dumps(report.to_json()))
    assert data["verdict"] == "bug"
    assert data["numbers"][1]["found"] == "0.291027924"
