"""The report of a backtest as one page: the verdict first, then why, then for whom."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from encorec import __version__
from encorec.evaluation.report import after_ranking, breakdowns, explanation, figures
from encorec.evaluation.report.ablation import ablation
from encorec.evaluation.report.lengths import lengths
from encorec.page import Facts, Page, Prose, Section, Verdict, write_page

__all__ = ["report_page", "write_report"]


def report_page(report: Mapping[str, Any]) -> Page:
    """The page of a report.

    Args:
        report: of ``encorec.workflow.examine``, or read back from its JSON.
    """
    sections = [
        Section("Verdict", _verdict(report)),
        Section("Every system", figures.systems(report)),
        Section("What the second stage gains", figures.differences(report)),
        Section("At every length of list", figures.curves(report)),
        Section("Accuracy, novelty, diversity", figures.trade_off(report)),
        Section("What variety costs", after_ranking.variety(report)),
        Section("Exam by exam", figures.exams(report)),
        Section("By number of events in the history", lengths(report)),
        *breakdowns.segments(report),
        Section("Age of what was wanted", breakdowns.item_age(report)),
        Section("Users without a past", breakdowns.cold_users(report)),
        Section("What the second stage moved", breakdowns.rank_shift(report)),
        Section("What retrieval can reach", breakdowns.ceilings(report)),
        Section("What the ranker looks at", breakdowns.importance(report)),
        Section("What features do to scores", explanation.features(report)),
        Section("What each part is worth", ablation(report)),
        Section("Whether probabilities keep their word", after_ranking.probabilities(report)),
    ]
    data = report["data"]
    made = f"encorec {__version__}, seed {report['seed']}, data {data['source']} {data['fingerprint'][:12]}"
    return Page(report["name"], [one for one in sections if one.blocks], lead=_lead(report), made=made)


def write_report(report: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page of a report as one self-contained HTML file.

    Args:
        report: of ``encorec.workflow.examine``.
        path: of the file.

    Raises:
        DataError: the file cannot be written.
    """
    return write_page(report_page(report), path)


def _lead(report: Mapping[str, Any]) -> str:
    folds = report["folds"]
    what = f"exam {folds[0]['split']['fold']}" if len(folds) == 1 else f"{len(folds)} exams"
    return (
        f"{report['data']['interactions']:,} interactions of {report['data']['source']}; {what}; every system learnt "
        "from the same past and was judged on the same users"
    )


def _verdict(report: Mapping[str, Any]) -> list[Any]:
    verdict, folds = report["verdict"], report["folds"]
    subject = report["systems"][figures.SUBJECT]
    pairs = [
        (verdict["metric"], subject[verdict["metric"]]["mean"]),
        ("users", subject["users"]),
        ("exams", len(folds)),
        ("items to find", sum(one["split"]["truth_items"] for one in folds)),
        ("interactions to learn from", report["split"]["train_rows"]),
        ("cold items to find", sum(one["split"]["cold_item_rows"] for one in folds)),
        ("cold users", sum(one["split"]["cold_users"] for one in folds)),
    ]
    blocks: list[Any] = [Verdict(verdict["sentence"], "good" if verdict["win"] else "bad"), Facts(pairs)]
    asked, everybody = sum(one["users"] for one in folds), sum(one["split"]["queries"] for one in folds)
    if asked < everybody:
        blocks.append(Prose(f"Judged on {asked:,} users drawn at random from {everybody:,} (evaluation.max_users)."))
    return blocks
