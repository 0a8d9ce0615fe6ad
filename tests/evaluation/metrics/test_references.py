"""Every formula of the metrics names a paper, and every paper it names is in the bibliography."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KEY = re.compile(r"#.*?\b([a-z]+(?:19|20)\d\d)\b")
CITED = {
    file.stem: set(KEY.findall(file.read_text(encoding="utf-8")))
    for file in sorted((ROOT / "src/encorec/evaluation").glob("*.py"))
}
KNOWN = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "docs/references.bib").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("module", sorted(CITED))
def test_cited_papers_are_in_the_bibliography(module: str) -> None:
    assert CITED[module] <= KNOWN


@pytest.mark.parametrize(
    "module",
    [
        "accuracy", "beyond_accuracy", "bootstrap", "bootstrap_loops", "calibration_loops", "debias", "differences",
        "diversity", "ranking_quality", "reference_lists", "uncertainty",
    ],
)  # fmt: skip
def test_modules_with_formulas_cite(module: str) -> None:
    assert CITED[module]
