import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encorec.pipeline.popular_order import PopularOrder, popular_scores

rows = st.integers(0, 11)


@given(
    popularity=st.lists(st.integers(0, 4), min_size=12, max_size=12),
    catalogue=st.lists(st.booleans(), min_size=12, max_size=12),
    k=st.integers(0, 14),
    exclude=st.lists(rows),
    allow=st.none() | st.lists(rows),
)
def test_the_best_are_those_of_a_plain_sort(popularity, catalogue, k, exclude, allow):
    order = PopularOrder.of(np.array(popularity), np.array(catalogue))
    allowed = range(12) if allow is None else allow
    eligible = {item for item in allowed if catalogue[item]} - set(exclude)
    wanted = sorted(eligible, key=lambda item: (-popularity[item], item))[:k]
    found = order.best(k, np.array(exclude, int), None if allow is None else np.array(allow, int))
    assert found.tolist() == wanted
    mask = np.array([[item in eligible for item in range(12)], [False] * 12])
    slate = order.slate(k, mask)
    assert slate.item[0, : len(wanted)].tolist() == wanted
    assert slate.filled.tolist() == [len(wanted), 0]
    assert slate.score[0, : len(wanted)].tolist() == np.array(popular_scores(len(wanted)), np.float32).tolist()
