"""Driver: the value of every metric of RecTools for every user."""

import numpy as np
import pandas as pd
from dialogue import serve
from rectools import metrics as m

PER_USER = {
    "precision": (m.Precision, {}),
    "recall recall.denominator=min": (m.Precision, {"r_precision": True}),
    "recall": (m.Recall, {}),
    "f1": (m.F1Beta, {}),
    "hit_rate": (m.HitRate, {}),
    "map": (m.MAP, {}),
    "map map.denominator=k": (m.MAP, {"divide_by_k": True}),
    "ndcg ndcg.ideal=k": (m.NDCG, {}),
    "ndcg": (m.NDCG, {"divide_by_achievable": True}),
    "mrr": (m.MRR, {}),
}
OF_LISTS = {
    "sufficient": (m.SufficientReco, {}),
    "sufficient sufficient.unit=place": (m.SufficientReco, {"deep": True}),
    "unrepeated": (m.UnrepeatedReco, {}),
    "unrepeated unrepeated.unit=place": (m.UnrepeatedReco, {"deep": True}),
}
OF_BOTH = {"intersection": {}, "intersection intersection.reference_k=3": {"ref_k": 3}}
DEBIASED = " debias.method=iqr debias.coefficient=1.5 debias.seed=3"


def frame(pairs):
    """(m, 2) users and items."""
    return pd.DataFrame(pairs, columns=["user_id", "item_id"])


def ranked(lists):
    """(n, width) items, best first, -1 empty."""
    user, place = np.nonzero(lists >= 0)
    return pd.DataFrame({"user_id": user, "item_id": lists[user, place], "rank": place + 1})


def debias():
    """Down-sampling of popular items, as the options in ``DEBIASED`` say."""
    return m.DebiasConfig(iqr_coef=1.5, random_state=np.random.default_rng(3))


def values(tables, out, cuts):
    """Write ``"metric options@k"`` -> (n,) values, NaN where RecTools has none; coverage is one value."""
    given = np.load(tables)
    recommended, truth, train = ranked(given["lists"]), frame(given["test"]), frame(given["train"])
    n, known = len(given["lists"]), np.unique(given["train"][:, 1])
    found = {}
    for k in cuts:
        found |= {f"{name}@{k}": values for name, values in of_users(recommended, truth, k).items()}
        found |= {f"{name}@{k}": values for name, values in of_lists(recommended, train, given, known, k).items()}
    found["covered_users@0"] = m.CoveredUsers(k=cuts[-1]).calc_per_user(recommended, truth)
    aligned = {name: one.reindex(np.arange(n)).to_numpy(float) for name, one in found.items()}
    for k in cuts:
        catalogue = np.arange(len(given["features"]))
        aligned[f"coverage@{k}"] = m.CatalogCoverage(k=k, normalize=True).calc(recommended, catalogue)
        aligned[f"coverage coverage.absolute=true@{k}"] = m.CatalogCoverage(k=k).calc(recommended, known)
    np.savez(out, **aligned)
    return len(aligned)


def of_users(recommended, truth, k):
    """Accuracy, as it is and debiased."""
    plain = {name: kind(k=k, **rest).calc_per_user(recommended, truth) for name, (kind, rest) in PER_USER.items()}
    return plain | {
        name + DEBIASED: kind(k=k, debias_config=debias(), **rest).calc_per_user(recommended, truth)
        for name, (kind, rest) in PER_USER.items()
    }


def of_lists(recommended, train, given, known, k):
    """Everything beyond accuracy."""
    distance = m.PairwiseHammingDistanceCalculator(pd.DataFrame(given["features"]))
    truth, reference = frame(given["test"]), ranked(given["reference"])
    return {
        "miuf": m.MeanInvUserFreq(k=k).calc_per_user(recommended, train),
        "serendipity": m.Serendipity(k=k).calc_per_user(recommended, truth, train, known),
        "ild": m.IntraListDiversity(k=k, distance_calculator=distance).calc_per_user(recommended),
        "avg_popularity": m.AvgRecPopularity(k=k).calc_per_user(recommended, train),
        **{name: m.Intersection(k=k, **rest).calc_per_user(recommended, reference) for name, rest in OF_BOTH.items()},
        **{name: kind(k=k, **rest).calc_per_user(recommended) for name, (kind, rest) in OF_LISTS.items()},
    }


if __name__ == "__main__":
    serve({"values": values})
