"""How many lists are full where only a hundredth of the catalogue may be shown: our service and the lecture's.

    python -m benchmarks.quality.bench_allow_list

Every question has a list of its own, drawn at random from the catalogue. The lecture's service looks for the nearest
items of the whole catalogue and then strikes out what may not be shown; ours searches among what may.
"""

import tempfile
from pathlib import Path

import numpy as np
from benchmarks.peers.environment import versions
from benchmarks.record import Measurement
from benchmarks.speed import prepared
from benchmarks.speed.answer_steps import some_users
from benchmarks.speed.bench_service import PEER, services, write_vectors
from benchmarks.speed.size import SEED, Size, parser, report

from encorec.pipeline.engine import load_engine

QUESTIONS, K, SHARE = 500, 10, 0.01


def main() -> None:
    share = parser(__doc__).parse_args().scale
    served, rng = load_engine(prepared.wide(share)), np.random.default_rng(SEED)
    users = some_users(served, QUESTIONS)
    catalogue = np.flatnonzero(served.artifact.catalogue)
    ours, theirs = list[int](), list[int]()
    with tempfile.TemporaryDirectory() as folder:
        write_vectors(served, users, Path(folder))
        with services(served, Path(folder), share) as (our, _, their):
            for user in served.artifact.users.externals(users):
                drawn = rng.choice(catalogue, round(SHARE * len(catalogue)), replace=False)
                allowed = served.artifact.items.externals(np.sort(drawn))
                slate = our.ask("/v1/recommend", {"user_id": user, "k": K, "allow": allowed})
                ours.append(len({one["item_id"] for one in slate["items"]} & set(allowed)))
                found = their.ask("/api/v1/recommend_for_user", {"user_id": user, "item_whitelist": allowed})
                theirs.append(len(set(found["item_ids"]) & set(allowed)))
    rows = list[Measurement]()
    for name, counts in (("encorec", np.array(ours)), ("lecture", np.array(theirs))):
        case = f"{Size(share)}, 1 % of the items allowed: {name}"
        rows.append(Measurement(f"{case}: full lists", "share", [float(np.mean(counts == K))], SEED))
        rows.append(Measurement(f"{case}: places filled of {K}", "items", [float(np.mean(counts))], SEED))
    report("allow_list", share, rows, peers=versions(PEER, ("annoy", "fastapi", "uvicorn", "pydantic")))


if __name__ == "__main__":
    main()
