"""Put the tables of ``benchmarks/results`` into README.md, between their markers: ``python -m benchmarks.readme``."""

import csv
import re
import sys
from collections.abc import Callable, Sequence

from benchmarks.record import RESULTS, ROOT

TITLES = {
    "movielens-100k": "MovieLens-100K, the last film of every user",
    "complete-journey": "Complete Journey, the baskets of the last 14 days, repeats included",
    "complete-journey-new": "Complete Journey, products new to the household in the last 14 days",
}
Rows = list[dict[str, str]]


def read(name: str) -> Rows:
    """The rows of ``results/name.csv``."""
    with (RESULTS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read_if_there(name: str) -> Rows:
    """The same, nothing where the benchmark has not run yet."""
    return read(name) if (RESULTS / f"{name}.csv").exists() else []


def quality() -> str:
    """One table per configuration, best system last."""
    rows, parts = read("two_stage"), []
    for config, title in TITLES.items():
        chosen = sorted((row for row in rows if row["config"] == config), key=lambda row: float(row["mean"]))
        if chosen:
            parts.append(
                f"**{title}** ({chosen[0]['users']} users; seed {chosen[0]['seed']}, commit {chosen[0]['commit']})"
            )
            parts.append(quality_table(chosen))
    return "\n\n".join(parts)


def quality_table(rows: Rows) -> str:
    """Systems against metrics as Markdown."""
    others = [
        name for name in ("recall@10", "map@10", "mrr@10", "miuf@10", "ild@10", "coverage@10") if rows[0].get(name)
    ]
    lines = [["system", f"{rows[0]['metric']} [95 %]", *others, "two-stage minus it [95 %]"]]
    for row in rows:
        interval = f"{float(row['mean']):.4f} [{float(row['low']):.4f}, {float(row['high']):.4f}]"
        gain = (
            f"{float(row['gain']):+.4f} [{float(row['gain_low']):+.4f}, {float(row['gain_high']):+.4f}]"
            if row["gain"]
            else ""
        )
        name = f"**{row['system']}**" if row["system"] == "two-stage" else row["system"]
        lines.append([name, interval, *(f"{float(row[one]):.3f}" for one in others), gain])
    return markdown(lines)


def request() -> str:
    """Latency of one request in process, on one thread."""
    return timings(read("request"))


def scale() -> str:
    """What the two-stage costs at KION's size, in process and as a service."""
    rows = [row for row in read("request_kion") if row["case"].split(": ")[-1].startswith(("candidates", "request"))]
    rows = [row for row in rows if not row["case"].endswith("candidates p50")]
    rows += [row for row in read_if_there("batch") if "two-stage" in row["case"]]
    rows += [row for row in read_if_there("cold_start") if row["case"].startswith("1x KION: process start to ready")]
    return timings([*rows, *read_if_there("workers"), *read_if_there("judging")])


def growth() -> str:
    """Seconds of every step at every size, and how they grow with interactions."""
    rows = read("growth")
    found = {tuple(row["case"].split(": ", 1)): row["median"] for row in rows if row["unit"] in ("s", "power")}
    sizes = [row["case"].removeprefix("interactions: ") for row in rows if row["unit"] == "rows"]
    columns = [*sizes, "exponent", "exponent of the two largest"]
    lines = [["step, seconds", *columns]]
    for step in dict.fromkeys(step for step, _ in found):
        lines.append([step, *(found[step, column] for column in columns)])
    return f"{markdown(lines)}\n\n({rows[0]['cpu']}, {rows[0]['cores']} cores, commit {rows[0]['commit']})"


def peers() -> str:
    """How many times the others take."""
    rows = [row for name in ("peer_two_stage", "metrics") for row in read(name) if row["unit"] == "times"]
    return timings(rows)


def rivals() -> str:
    """The models of RecTools beside the two-stage, per data set."""
    rows = read("peers")
    lines = [["data", "system", "setting", rows[0]["metric"], "Encorec's two-stage minus it [95 %]"]]
    for row in rows:
        ours = row["library"] == "encorec"
        if not ours or row["system"] == "two-stage":
            gain = (
                ""
                if ours
                else f"{float(row['gain']):+.4f} [{float(row['gain_low']):+.4f}, {float(row['gain_high']):+.4f}]"
            )
            name = f"**{row['library']}: {row['system']}**" if ours else f"{row['library']}: {row['system']}"
            lines.append([row["data"], name, row["setting"], f"{float(row['mean']):.4f}", gain])
    return f"{markdown(lines)}\n\n(commit {rows[0]['commit']})"


def networks() -> str:
    """SASRec beside RecTools', and what two towers and others are worth where they are asked."""
    rivals, own = read("peer_neural"), [row for row in read("neural") if row["mean"]]
    lines = [["exam", "model", "NDCG@10, or hit rate [95 %]", "minus the first of its exam [95 %]", "fit, s"]]
    for row in rivals:
        if row["mean"]:
            name = f"{row['library']}: {row['model']}"
            lines.append([row["exam"], name, *spread(row), f"{float(row['seconds']):.0f}"])
    for row in own:
        seconds = f"{float(row['fit seconds']):.0f}" if row["fit seconds"] else ""
        lines.append([row["exam"], row["model"], *spread(row), seconds])
    speeds = [["training", "samples per second", "times", "pairs per second"]]
    for row in rivals:
        if row["samples/s"]:
            rates = [f"{float(row['samples/s']):,.0f}", f"{float(row['times']):.1f}", f"{float(row['pairs/s']):,.0f}"]
            speeds.append([f"{row['library']}: {row['model']} ({row['exam']})", *rates])
    commits = ", ".join(dict.fromkeys(row["commit"] for row in (*rivals, *own)))
    tables = "\n\n".join(markdown(table) for table in (lines, speeds))
    return f"{tables}\n\n(commit {commits})\n\n{timings(read('networks'))}"


def spread(row: dict[str, str]) -> tuple[str, str]:
    """A mean and a gain with their intervals."""
    mean = f"{float(row['mean']):.4f} [{float(row['low']):.4f}, {float(row['high']):.4f}]"
    return mean, f"{float(row['gain']):+.4f} [{float(row['gain_low']):+.4f}, {float(row['gain_high']):+.4f}]"


def timings(rows: Rows) -> str:
    """Median and range of every row."""
    lines = [["what", "median", "range over runs", "runs"]]
    for row in rows:
        lines.append([row["case"], f"{row['median']} {row['unit']}", f"{row['min']} to {row['max']}", row["runs"]])
    commits = ", ".join(dict.fromkeys(row["commit"] for row in rows))
    return f"{markdown(lines)}\n\n({rows[0]['cpu']}, {rows[0]['cores']} cores, commit {commits})"


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first line is its head."""
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [lines[0], rule, *lines[1:]])


TABLES: dict[str, Callable[[], str]] = {
    "quality": quality,
    "request": request,
    "scale": scale,
    "growth": growth,
    "peers": peers,
    "rivals": rivals,
    "networks": networks,
}


def main() -> None:
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        marks = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not marks.search(text):
            sys.exit(f"README.md has no place for the table {name!r}")
        text = marks.sub(lambda found, table=table: f"{found[1]}{table()}\n{found[2]}", text)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
