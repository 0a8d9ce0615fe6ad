"""The table of failures in the documentation names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_row_names_tests_with_real_processes():
    page = (ROOT / "docs" / "serving.md").read_text()
    rows = page.partition("| failure |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(rows) == 11
    for row in rows:
        names = re.findall(r"`(\w+/test_\w+\.py)?(?:::)?(test_\w+)?`", row)
        source, short = "", 0
        for file, name in names:
            if file:
                source = (ROOT / "tests" / file).read_text()
            if file.startswith("torture/"):
                assert "pytest.mark.torture" in source, row
            elif name:
                assert re.search(rf"^def {name}\(", source, re.MULTILINE), (file, name)
                short += 1
        assert short, row
