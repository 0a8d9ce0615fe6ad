"""The OpenAPI document as one page for people: nothing is loaded from elsewhere, so it works without the internet."""

import json
import re
from collections.abc import Iterator
from html import escape

from starlette.responses import HTMLResponse

from encorec.serving.http.openapi import Json

__all__ = ["docs_page"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
code, pre, textarea, input {{ font: 14px/1.4 ui-monospace, monospace }}
details {{ border: 1px solid #8886; border-radius: 6px; margin: .5rem 0; padding: .5rem 1rem }}
summary {{ cursor: pointer }}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-top: 1px solid #8886; padding: .25rem .5rem; vertical-align: top }}
textarea {{ box-sizing: border-box; width: 100%; height: 6rem }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>{title} {version}</h1>
<p>{about}</p>
<p>For programs: <a href="openapi.json">openapi.json</a></p>
<h2>Routes</h2>
{routes}
<h2>Bodies and answers</h2>
{schemas}
<script>
for (const form of document.forms) form.addEventListener("submit", async event => {{
  event.preventDefault();
  const given = new FormData(form), body = given.get("body"), said = form.querySelector("pre");
  const path = form.dataset.path.replace(/{{(\\w+)}}/g, (_, name) => encodeURIComponent(given.get(name)));
  const asked = new URLSearchParams();
  for (const one of form.querySelectorAll("[data-in=query]")) if (one.value) asked.set(one.name, one.value);
  const options = {{method: form.dataset.method, headers: {{}}}};
  if (body !== null) Object.assign(options, {{headers: {{"Content-Type": "application/json"}}, body}});
  for (const one of form.querySelectorAll("[data-in=header]")) if (one.value) options.headers[one.name] = one.value;
  try {{
    const answer = await fetch(asked.size ? `${{path}}?${{asked}}` : path, options);
    said.textContent = `${{answer.status}} ${{answer.statusText}}\\n${{await answer.text()}}`;
  }} catch (error) {{ said.textContent = error; }}
}});
</script>
"""

_ROUTE = """<details id="{id}">
<summary><code><b>{method}</b> {path}</code> {summary}</summary>
<form data-path="{relative}" data-method="{method}">{inputs}<p><button>Send</button></p><pre></pre></form>
<table>{responses}</table>
</details>"""

_SCHEMA = '<h3 id="{name}">{name}</h3>\n<p>{about}</p>\n<table>{fields}</table>'

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} of them",
}

# The browser itself holds the page to its word.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


def docs_page(document: Json) -> HTMLResponse:
    """The page: every route with a form to try it, every body and answer field by field.

    Args:
        document: what ``openapi.describe`` made.

    Example:
        >>> from encorec.serving.http.openapi import describe
        >>> from encorec.serving.settings import Settings
        >>> b"<title>Encorec</title>" in docs_page(describe([], Settings())).body
        True
    """
    info = document["info"]
    page = _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        about=_prose(info["description"]),
        routes="\n".join(_routes(document)),
        schemas="\n".join(_schema(name, one) for name, one in document["components"]["schemas"].items()),
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _ALONE})


def _routes(document: Json) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield _ROUTE.format(
                id=escape(operation["operationId"]),
                method=method.upper(),
                path=escape(path),
                relative=escape(path.removeprefix("/")),  # so that a proxy may serve all of it under a prefix
                summary=_prose(operation["summary"]),
                inputs="".join((*_keys(document, operation), *_inputs(operation))),
                responses="".join(_response(status, one) for status, one in operation["responses"].items()),
            )


def _keys(document: Json, operation: Json) -> Iterator[str]:
    for name in (name for one in operation.get("security", ()) for name in one):
        header = escape(document["components"]["securitySchemes"][name]["name"])
        field = f'<input name="{header}" data-in="header" type="password" autocomplete="off">'
        yield f"<p><label>{header} {field}</label></p>"


def _inputs(operation: Json) -> Iterator[str]:
    for one in operation.get("parameters", ()):
        name, place = escape(one["name"]), escape(one["in"])
        yield f'<p><label>{name} <input name="{name}" data-in="{place}"></label> {_prose(one["description"])}</p>'
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        example = escape(json.dumps(content.get("example", {})))
        yield f'<p>{_kind(content["schema"])}</p><textarea name="body" aria-label="body">{example}</textarea>'


def _response(status: str, response: Json) -> str:
    [content] = response["content"].values()
    kind = _kind(content["schema"])
    return f"<tr><td>{status}<td>{_prose(response['description'])}<td>{kind}"


def _schema(name: str, schema: Json) -> str:
    fields = (_field(field, one, field in schema["required"]) for field, one in schema["properties"].items())
    return _SCHEMA.format(name=escape(name), about=_prose(schema["description"]), fields="".join(fields))


def _field(name: str, schema: Json, required: bool) -> str:
    otherwise = "required" if required else f"else <code>{escape(json.dumps(schema['default']))}</code>"
    about = _prose(schema.get("description", ""))
    return f"<tr><td><code>{escape(name)}</code><td>{_kind(schema)}<td>{otherwise}<td>{about}"


def _kind(schema: Json) -> str:
    """The type that a schema allows, in words and links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    inner = schema.get("items") or schema.get("additionalProperties")
    name = escape(schema.get("type", "anything")) + (f" of {_kind(inner)}" if inner else "")
    bounds = [words.format(schema[bound]) for bound, words in _BOUNDS.items() if bound in schema]
    return f"{name} ({', '.join(bounds)})" if bounds else name


def _prose(text: str) -> str:
    """Plain text with ``code`` in it as HTML."""
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"<code>\1</code>", escape(text))
