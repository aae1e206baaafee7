"""What `--help` says below the options: examples that work, and what the exit status means."""

from __future__ import annotations

# After \b, click leaves lines as they are. ASCII, since help must appear wherever it is asked for.
EXAMPLES = """\b
Examples:
  backpass demo
  backpass derive "L = sum((X W - Y)**2)" --shapes "X: n k, W: k m, Y: n m"
  backpass train iris.csv --target species
"""
DERIVE_EXAMPLES = """\b
Examples:
  backpass derive "L = sum((X W - Y)**2)" --shapes "X: n k, W: k m, Y: n m"
  backpass derive "z = W x + b; L = sum((sigmoid(z) - y)**2) / 2" \\
      --shapes "W: m k, x: k, b: m, y: m" --wrt "W b" --why W
  backpass derive model.py::loss --shapes "X: n k, Y: n m, W: k m" --check
"""
ANNOTATE_EXAMPLES = """\b
Examples:
  backpass annotate mynet.py
  backpass annotate mynet.py --make "Network([3, 4, 2])" --html mynet.html
  backpass annotate mynet.py --output commented.py
"""
DOCTOR_EXAMPLES = """\b
Examples:
  backpass doctor mynet.py
  backpass doctor mynet.py --make "Network([3, 4, 2])" --call fit_partial
  backpass doctor functions.py --call MyFunction --data "6x3 4x3 4"
  backpass doctor --formula "(a - y) a (1 - a) x" --wrt W \\
      --of "z = W x; a = sigmoid(z); L = sum((a - y)**2) / 2" \\
      --shapes "x: k, W: m k, y: m"
"""
TRAIN_EXAMPLES = """\b
Examples:
  backpass train iris.csv --target species
  backpass train houses.csv --target price --ignore id --one-hot city \\
      --layers 64,32 --activation relu --report houses.html
  backpass train train-images-idx3-ubyte.gz \\
      --labels train-labels-idx1-ubyte.gz
"""
PREDICT_EXAMPLES = """\b
Examples:
  backpass predict model.safetensors new.csv > answers.csv
  backpass predict model.safetensors new.csv --probabilities \\
      --output answers.csv
"""
SWEEP_EXAMPLES = """\b
Examples:
  backpass sweep iris.csv --target species --lr 0.01,0.1,1 --init glorot,he
  backpass sweep houses.csv --target price --ignore id --one-hot city \\
      --layers 8 --layers 64,32 --seeds 3
"""
GRADE_EXAMPLES = """\b
Examples:
  backpass grade submissions/ --reference reference.py
  backpass grade submissions/ --reference reference.py --hint fix --seed 1
  backpass grade submission.py --reference reference.py \\
      --gradescope results.json
\b
Exit status: 0; 1 when a submission could not be graded; 2 when none could.
"""
STATUSES = """
Exit status: 0; 1 when a check fails; 2 when the question has no answer.
"""
