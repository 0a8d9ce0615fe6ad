"""The report of all exams: figures, differences, and the sentence that decides."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from encorec.evaluation.backtest.backtest import Backtest, difference_entry, with_holm
from encorec.evaluation.backtest.breakdown import by_item_age, by_segment, cold_users
from encorec.evaluation.backtest.judged import JudgedFold
from encorec.evaluation.backtest.lengths import by_length
from encorec.evaluation.backtest.settings import EvaluationConfig
from encorec.evaluation.uncertainty import Difference
from encorec.pipeline.fit import Progress
from encorec.verdict.systems import FUSION, TWO_STAGE

__all__ = ["summarise"]


def summarise(
    config: EvaluationConfig,
    exams: Sequence[JudgedFold],
    apart: Sequence[JudgedFold],
    retrievers: Sequence[str],
    seed: int,
    progress: Progress | None = None,
    popular: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything that the exams say together, ready for JSON.

    Args:
        config: how systems were judged.
        exams: oldest first.
        apart: exams of users without a past, where ``exams`` leave them out.
        retrievers: the two-stage wins if it beats each of these.
        seed: of the bootstrap.
        progress: told which part is at work.
        popular: retrievers that show everybody the same; the best of them is a rival at every length of history.
    """
    backtest = Backtest(config, exams, seed)
    told = _steps(progress, len(backtest.systems) * (1 + len(exams) * (len(exams) > 1)) + len(exams[0].segments) + 3)
    figures = backtest.figures(told)
    told("differences")
    differences = backtest.differences(TWO_STAGE)
    best = max(retrievers, key=lambda name: figures[name][config.metric]["mean"])
    folds = [_fold_entry(backtest, number, retrievers, figures, told) for number in range(len(exams))]
    segments = by_segment(backtest, apart, TWO_STAGE, best, told)
    told("item age")
    ages = by_item_age(backtest, config.verdict_k)
    told("cold users")
    return {
        "systems": figures,
        "comparisons": with_holm({name: difference_entry(one) for name, one in differences.items()}),
        "verdict": _verdict(backtest, figures, differences, best, retrievers),
        "folds": folds,
        "spread": backtest.spread(),
        "segments": segments,
        "lengths": by_length(backtest, apart, TWO_STAGE, _rivals(config, figures, best, popular)),
        "item_age": ages,
        "cold_users": cold_users(backtest, apart, TWO_STAGE),
        "curves": backtest.curves(),
        "rank_shift": backtest.shifts(),
    }


def _rivals(config: EvaluationConfig, figures: dict[str, Any], best: str, popular: Sequence[str]) -> list[str]:
    """The best retriever, the best list that is the same for everybody, and the fusion of all."""
    favourite = sorted(popular, key=lambda name: -figures[name][config.metric]["mean"])[:1]
    return list(dict.fromkeys([best, *favourite, *(name for name in (FUSION,) if name in figures)]))


def _fold_entry(
    backtest: Backtest, number: int, retrievers: Sequence[str], figures: dict[str, Any], told: Callable[[str], None]
) -> dict[str, Any]:
    """One exam: its statistics, every metric of every system, the differences of the two-stage."""
    alone, exam = backtest.only(number), backtest.exams[number]
    differences = alone.differences(TWO_STAGE)
    return {
        "split": msgspec.to_builtins(exam.statistics),
        "users": len(exam),
        "systems": figures if len(backtest.exams) == 1 else alone.figures(told),
        "comparisons": {name: difference_entry(one) for name, one in differences.items()},
        "win": all(differences[name].wins for name in retrievers),
    }


def _verdict(
    backtest: Backtest,
    figures: dict[str, Any],
    differences: dict[str, Difference],
    best: str,
    retrievers: Sequence[str],
) -> dict[str, Any]:
    metric, gain = backtest.config.metric, differences[best]
    win = all(differences[name].wins for name in retrievers)
    means = f"{figures[TWO_STAGE][metric]['mean']:.4f} against {figures[best][metric]['mean']:.4f}"
    text = f"{metric}: {means} of the best retriever, {best}: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
    sentence = f"the two-stage WINS. {text}" if win else f"NO GAIN from the second stage. {text}"
    sentence += _over_exams(backtest, best) + _beaten(differences, retrievers)
    return {"win": win, "metric": metric, "best_retriever": best, "sentence": sentence}


def _over_exams(backtest: Backtest, best: str) -> str:
    """How steady the gain was, where there is more than one exam."""
    if len(backtest.exams) == 1:
        return ""
    metric = backtest.config.metric
    ahead = sum(
        exam.systems[TWO_STAGE].values[metric].mean() > exam.systems[best].values[metric].mean()
        for exam in backtest.exams
    )
    return f"; mean of {len(backtest.exams)} exams, ahead in {ahead}"


def _beaten(differences: dict[str, Difference], retrievers: Sequence[str]) -> str:
    """Systems of one's own that beat the two-stage."""
    better = [name for name, one in differences.items() if one.high < 0 and name not in (*retrievers, FUSION)]
    return f". Better than the two-stage: {', '.join(better)}" if better else ""


def _steps(progress: Progress | None, total: int) -> Callable[[str], None]:
    """Progress that counts by itself."""
    done = iter(range(total + 1))

    def told(_: str) -> None:
        if progress:
            progress("resample users", next(done, total), total)

    return told
