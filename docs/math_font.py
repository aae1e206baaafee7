"""Cut the letters of formulas out of STIX Two Math: `python docs/math_font.py FILE.woff2`.

The font is that of the npm package @fontsource/stix-two-math 5.3.0, and its licence, the SIL Open
Font License 1.1 without reserved names, stands beside the result. Needs fonttools and brotli.
"""

import sys
from pathlib import Path

from fontTools import subset

READING = Path(__file__).parent.parent / "backpass" / "reading"

ASCII = range(0x20, 0x7F)
GREEK = (*range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3F5)
# a browser sets the only letter of an <mi> from here; h was italic before the others
ITALIC = (*range(0x1D434, 0x1D468), 0x210E, *range(0x1D6E2, 0x1D71C))
SIGNS = map(ord, "−×·÷±√∑∏∫∂∇∈ℝℤ⊙⊗⊤′″‴←→≤≥≠≈½¼¾…⋯¯‖⟨⟩∞ϕϵ")

LETTERS = sorted({*ASCII, *GREEK, *ITALIC, *SIGNS})

if __name__ == "__main__":
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["ssty", "kern"]  # smaller forms for indices, and distances
    options.hinting = False
    options.name_IDs = [0, 1, 2, 4, 5, 6, 13, 14]  # whose it is, and under which licence
    font = subset.load_font(sys.argv[1], options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LETTERS)
    cutter.subset(font)
    subset.save_font(font, str(READING / "stix-two-math.woff2"), options)
