"""How hard the properties are tried: the same examples every time in CI, new ones in `make fuzz`.

A test that wants more than the default says ``settings(max_examples=max(500, EXAMPLES))`` with
``EXAMPLES = settings().max_examples``, so that `make fuzz` can raise it further.
"""

import os

from hypothesis import HealthCheck, settings

# The oracle is asked in float64, and on the processor that every machine has.
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# A shared machine may stall for seconds, which says nothing about the code.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("ci", derandomize=True, database=None, **patient)
examples = int(os.environ.get("BACKPASS_EXAMPLES", "5000"))
settings.register_profile(
    "fuzz", max_examples=examples, derandomize=False, print_blob=True, **patient
)
settings.load_profile("ci")
