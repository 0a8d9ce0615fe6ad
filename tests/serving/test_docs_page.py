"""The page is read as a browser would read it."""

from html.parser import HTMLParser

import pytest

from encorec.serving.http.docs_page import docs_page
from encorec.serving.http.openapi import describe
from encorec.serving.settings import Settings


class Reader(HTMLParser):
    """Collects what a page shows, where it leads and what its forms send."""

    def __init__(self, page):
        super().__init__()
        self.words, self.links, self.names, self.forms, self.fields = [], [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.links += [given[one] for one in ("href", "src", "action", "srcset", "data") if one in given]
        self.names += [given["id"]] if "id" in given else []
        self.forms += [given["data-path"]] if tag == "form" else []
        self.fields += [(given["name"], given.get("data-in"))] if "name" in given and tag != "meta" else []

    def handle_data(self, data):
        self.words += data.split()


@pytest.fixture
def document(service):
    return service.get("/openapi.json").json()


@pytest.fixture
def page(service):
    answer = service.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text)


def test_the_page_needs_nothing_from_elsewhere(service, page):
    assert all(link == "openapi.json" or link.startswith("#") for link in page.links)
    assert "://" not in service.get("/docs").text
    policy = service.get("/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy


def test_every_link_of_the_page_leads_somewhere(page):
    assert {link.removeprefix("#") for link in page.links} - {"openapi.json"} <= set(page.names)
    assert len(page.names) == len(set(page.names))


def test_every_route_can_be_tried_by_its_parameters_or_its_body(page, document):
    assert page.forms == [path.removeprefix("/") for path in document["paths"]]
    assert page.fields == [
        field
        for methods in document["paths"].values()
        for operation in methods.values()
        for field in [
            *((one["name"], one["in"]) for one in operation.get("parameters", ())),
            *([("body", None)] if "requestBody" in operation else []),
        ]
    ]


def test_every_word_on_every_field_is_on_the_page(page, document):
    shown = " ".join(page.words)
    for name, schema in document["components"]["schemas"].items():
        assert name in page.names
        for field, about in schema["properties"].items():
            assert field in page.words
            assert plain(about.get("description", "")) in shown
    assert plain(document["info"]["description"]) in shown


def plain(text):
    return " ".join(text.replace("`", " ").split())


def test_bounds_and_defaults_are_told(page):
    shown = " ".join(page.words)
    assert "k integer (at least 1, at most 500) else 10 places to fill." in shown
    assert "deadline_ms number (above 0) or null else null" in shown


def test_text_is_text_and_never_markup():
    document = describe([], Settings()) | {"info": {"title": "<b>", "version": "<i>", "description": "<script>`&`"}}
    page = bytes(docs_page(document).body).decode()
    assert "<title>&lt;b&gt;</title>" in page
    assert "<h1>&lt;b&gt; &lt;i&gt;</h1>" in page
    assert "<p>&lt;script&gt;<code>&amp;</code></p>" in page
