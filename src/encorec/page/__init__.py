"""Results that people look at: one self-contained HTML file, readable on a phone, and the charts in it."""

from encorec.page.blocks import Chart, Code, Columns, Details, Facts, Prose, Section, Table, Verdict
from encorec.page.document import Page, write_page

__all__ = ["Chart", "Code", "Columns", "Details", "Facts", "Page", "Prose", "Section", "Table", "Verdict", "write_page"]
