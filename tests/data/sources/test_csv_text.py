"""CSV as text: read whole or refused, with the row where it goes wrong."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encorec.data.sources.csv_text import parse_csv
from encorec.errors import DataError

VALUES = st.text(st.sampled_from('ab ,;\t"\n|й'), max_size=6).map(lambda text: text or None)


def written(rows: list[list[str | None]], separator: str, end: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue().encode()


@given(
    st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_the_standard_library_writes_is_read_back(
    rows: list[list[str | None]], separator: str, end: str, mark: bytes
) -> None:
    raw = mark + written([["one", "two", "three"], *rows], separator, end)
    sheet = parse_csv(raw, "log.csv")
    assert [list(row) for row in sheet.frame.rows()] == rows


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\r\n", "\r\n\r\n"])
def test_the_end_of_the_file_does_not_matter(end: str) -> None:
    assert parse_csv(f"a,b\n1,2\n3,4{end}".encode(), "log.csv").frame.rows() == [("1", "2"), ("3", "4")]


def test_only_the_wanted_columns_are_read_under_clean_names() -> None:
    sheet = parse_csv(b"user_id, item_id ,junk\n7,a,x\n", "log.csv", ["item_id"], ["user_id", "age"])
    assert sheet.frame.to_dict(as_series=False) == {"user_id": ["7"], "item_id": ["a"]}


def test_quotes_may_mean_nothing() -> None:
    assert parse_csv(b'a\tb\n5" disc\t1\n', "log.tsv", quoted=False).frame.rows() == [('5" disc', "1")]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a,b\n", "has a header but no rows"),
        (b"a,b\n1,2\n3\n4,5\n", "1 line differs from the header in length (first: data row 2 with 1 value, the header"),
        (b"a,b\n1,2,3\n4,5,6\n", "2 lines differ from the header in length (first: data row 1 with 3 values"),
        (b"a,b\n1,2\n\n4,5\n", "1 line differs from the header in length (first: data row 2 with 1 value"),
        (b'a,b\n"1, 2\n3,4\n', "has a quote mark without its partner (first: data row 1)"),
        (b'a,b\n"1,\n2",3\n4\n', "1 line differs from the header in length (first: data row 2 with 1 value"),
        ("a,b\n1,2\n3,Ж\n".encode("cp1251"), "is not UTF-8 text (first: data row 2, byte 0xC6)"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text"),
        (b"usr_id,b\n1,2\n", "unknown column 'user_id': did you mean 'usr_id'? allowed: b, usr_id"),
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(DataError) as refused:
        parse_csv(raw, "some/log.csv", ["user_id"] if b"usr_id" in raw else [])
    assert str(refused.value).startswith(f"some/log.csv: {told}")


@given(st.integers(1, 400), st.data())
def test_a_file_cut_off_inside_a_row_is_refused_or_reads_as_its_whole_rows(rows: int, data: st.DataObject) -> None:
    whole = b"user,item,time\n" + b"".join(b"%d,%d,%d\n" % (row, row * 7, row * 99) for row in range(rows))
    cut = data.draw(st.integers(len(b"user,item,time\n0,0,0"), len(whole)))
    lines = whole[:cut].split(b"\n")
    if lines[-1] and lines[-1].count(b",") < 2:
        with pytest.raises(DataError, match=rf"first: data row {len(lines) - 1} "):
            parse_csv(whole[:cut], "log.csv")
    else:
        assert len(parse_csv(whole[:cut], "log.csv")) == len(lines) - 1 - (not lines[-1])
