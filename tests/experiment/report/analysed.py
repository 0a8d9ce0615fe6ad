"""Analyses to draw: by the real analysis of generated data, and as hostile as the contract allows."""

import datetime
from typing import Any

from encorec.experiment.spec import AnalysisSpec, ExperimentSpec, MetricSpec, MoneySpec

HOSTILE = "<script>console.error('run')</script> & \"quoted\" $x^2$"
LONG = "a_metric_with_a_name_that_is_so_long_that_no_table_would_ever_hold_it_without_breaking"
TREATMENTS = ("two-stage with a very long name of a variant", HOSTILE)


def hostile_spec(sequential: str = "asymptotic-cs") -> ExperimentSpec:
    metrics = (
        MetricSpec(name="watch_time", value="watch", role="primary", covariate=("w0", "w1"), winsorize=0.999),
        MetricSpec(name="ctr", kind="ratio", numerator="clicks", denominator="views"),
        MetricSpec(name=LONG, value="a"),
        MetricSpec(name=HOSTILE, value="b"),
        MetricSpec(name="cancel_rate", kind="share", value="c", role="guardrail", margin=0.002, direction="down"),
        MetricSpec(name="huge", value="d"),
        MetricSpec(name="tiny", value="e"),
        MetricSpec(name="beyond drawing", value="f"),
        MetricSpec(name="zero control", value="g"),
    )
    return ExperimentSpec(
        name=f"Two-stage {HOSTILE}",
        variants={"control": 0.4, TREATMENTS[0]: 0.3, TREATMENTS[1]: 0.3},
        metric=metrics,
        start=datetime.date(2026, 11, 2),
        days=14,
        analysis=AnalysisSpec(sequential=sequential, segments=("device",)),  # pyright: ignore[reportArgumentType]
        money=MoneySpec(
            metric="watch_time", value_per_unit=0.35, population=1e6, cost=4e4, horizon_periods=12, decay=0.9
        ),
    )


def hostile_analysis(spec: ExperimentSpec) -> dict[str, Any]:
    base = {"ctr": 0.08, "cancel_rate": 0.03, "huge": 3.2e9, "tiny": 4e-7, "beyond drawing": 1e300, "zero control": 0.0}
    rows = [_row(metric, variant, base.get(metric.name, 41.0)) for metric in spec.metric for variant in spec.treatments]
    line = {
        "net": 1234567.8,
        "ci95": [-2e5, 2.6e6],
        "p_positive": 0.957,
        "break_even_effect": 0.2,
        "shrunk_net": 1.02e6,
        "per_period": {"net": 3.1e5, "ci95": [-2e4, 6.2e5]},
        "note": None,
    }
    days = [
        {"name": "ctr", "variant": one, "day": day, "effect": 1.0, "relative": 0.1 / day, "relative_ci95": [0.0, 0.2]}
        for one in spec.treatments
        for day in range(1, 15)
    ]
    part = {"segment": "device", "name": "watch_time", "effect": 1.0, "ci95": [0.0, 2.0], "relative": 0.02, "p": 0.03}
    look = {"role": "primary", "effect": 1.2, "alpha": 0.025, "p": 0.08, "crossed": False, "violated": None}
    counts = dict(zip(spec.variants, (40123, 29950, 29827), strict=True))
    return {
        "experiment": spec.name,
        "verdict": "ship",
        "recommended": spec.treatments[0],
        "reasons": ["day 14 of 14", f"{spec.treatments[0]}: better", "alarm: told twice", HOSTILE],
        "alarms": ["'ctr' is up while 'watch_time' is down"],
        "rule": f"Ship if better. {HOSTILE}",
        "variants": {one: {"verdict": "ship", "reasons": ["primary is better"]} for one in spec.treatments},
        "checks": {"srm": {"p": 0.43, "counts": counts, "ok": True}, "odd": {"seen": HOSTILE, "ok": False}},
        "metrics": rows,
        "money": {
            "variant": spec.treatments[0],
            **line,
            "variants": dict.fromkeys(spec.treatments, line),
            "method": "m",
        },
        "novelty": days,
        "segments": [{**part, "label": label, "variant": one} for label in ("tv", HOSTILE) for one in spec.treatments],
        "sequential": {
            "kind": "asymptotic-cs",
            "units": 99900,
            "planned_units": 120000.0,
            "note": "said",
            "metrics": [
                {**look, "name": "watch_time", "variant": spec.treatments[0], "ci": [-0.3, 2.7]},
                {**look, "name": "cancel_rate", "role": "guardrail", "variant": HOSTILE, "ci": [None, 0.3]},
            ],
        },
        "notes": [HOSTILE],
    }


def _row(metric: MetricSpec, variant: str, control: float) -> dict[str, Any]:
    effect, relative = 0.03 * control, 0.03 if control else None
    guard = {"state": "holds", "worst": 0.001, "loss": 0.0, "p": 0.01, "margin": metric.margin}
    return {
        "name": metric.name,
        "role": metric.role,
        "variant": variant,
        "control": control,
        "treatment": control + effect,
        "effect": effect,
        "ci95": [effect - 0.02 * control, effect + 0.02 * control],
        "relative": relative,
        "relative_ci95": None if relative is None else [0.01, 0.05],
        "p": 1e-9,
        "p_adjusted": 0.04,
        "method": "Welch",
        "theta": [0.7, -0.02],
        "guardrail": guard if metric.role == "guardrail" else None,
        "beside": {"bootstrap": {"effect": effect, "ci95": [0.0, 1.0], "p": 0.01}},
        "notes": [] if control else ["no relative effect"],
    }
