"""Contracts of the seams, as checks: run them over your own retriever or ranker before you plug it in.

In one call, ``check_retriever(MyRetriever, data)``; or one test per law, in pytest::

    CASE = RetrieverCase(MyRetriever, data)

    @pytest.mark.parametrize("check", list(yield_retriever_checks()), ids=lambda check: check.__name__)
    def test_my_retriever(check):
        check(CASE)
"""

from encorec.testing.contract import ContractError
from encorec.testing.ranker import RankerCase, TrainableRanker, check_ranker, yield_ranker_checks
from encorec.testing.retriever import check_retriever, yield_retriever_checks
from encorec.testing.retriever_case import RetrieverCase, TrainableRetriever

__all__ = [
    "ContractError",
    "RankerCase",
    "RetrieverCase",
    "TrainableRanker",
    "TrainableRetriever",
    "check_ranker",
    "check_retriever",
    "yield_ranker_checks",
    "yield_retriever_checks",
]
