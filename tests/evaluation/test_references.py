"""Every formula of the metrics names a paper, and every paper it names is in the bibliography."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVALUATION = ROOT / "src/encorec/evaluation"
KEY = re.compile(r"#.*?\b([a-z]+(?:19|20)\d\d)\b")
CITED = {
    file.relative_to(EVALUATION).with_suffix("").as_posix(): set(KEY.findall(file.read_text(encoding="utf-8")))
    for file in sorted(EVALUATION.rglob("*.py"))
}
KNOWN = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "docs/references.bib").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("module", sorted(CITED))
def test_cited_papers_are_in_the_bibliography(module: str) -> None:
    assert CITED[module] <= KNOWN


@pytest.mark.parametrize(
    "module",
    [
        *(f"metrics/{one}" for one in ("accuracy", "beyond_accuracy", "calibration_loops", "debias", "diversity")),
        *(f"metrics/{one}" for one in ("ranking_quality", "reference_lists")),
        *(f"uncertainty/{one}" for one in ("bootstrap", "bootstrap_loops", "comparison", "differences")),
    ],
)  # fmt: skip
def test_modules_with_formulas_cite(module: str) -> None:
    assert CITED[module]
