"""The contract of a retriever: small laws, each a function that raises ``ContractError`` where it is broken."""

from collections.abc import Callable, Iterator

from encorec.data.dataset import Dataset
from encorec.testing import retriever_answers as answers
from encorec.testing import retriever_filling as filling
from encorec.testing import retriever_learning as learning
from encorec.testing import retriever_updating as updating
from encorec.testing.retriever_case import RetrieverCase, TrainableRetriever

__all__ = ["RetrieverCheck", "check_retriever", "yield_retriever_checks"]

RetrieverCheck = Callable[[RetrieverCase], None]


def check_retriever(make: Callable[[], TrainableRetriever], data: Dataset, *, rng_seed: int = 0) -> None:
    """Hold a retriever to its contract.

    Args:
        make: makes it unfitted; its class, where every setting has a default.
        data: what it learns from; better with a user and an item that nothing is known of.
        rng_seed: of every fit.

    Raises:
        ContractError: at the first law that is broken.

    Example:
        >>> from encorec.data.interactions import Interactions
        >>> from encorec.retrieval.popularity import Popularity
        >>> data = Dataset.of(Interactions.of([0, 1, 1, 2], [0, 0, 2, 3], [5, 6, 7, 8], users=4, items=5))
        >>> check_retriever(Popularity, data)
    """
    case = RetrieverCase(make, data, rng_seed)
    for check in yield_retriever_checks():
        check(case)


def yield_retriever_checks() -> Iterator[RetrieverCheck]:
    """Every law of the contract, for one test each; its ``__name__`` says what holds.

    Example:
        >>> next(yield_retriever_checks()).__name__
        'refuses_before_fit'
    """
    yield learning.refuses_before_fit
    yield from (filling.fills_lists_of_known_users, filling.fills_lists_of_unknown_users)
    yield from (filling.fills_lists_of_empty_histories, filling.fills_lists_beyond_the_catalogue)
    yield from (filling.fills_a_narrow_allow_list, filling.fills_where_three_items_are_left)
    yield from (filling.keeps_the_rules_of_every_query, filling.gives_nothing_where_nothing_is_eligible)
    yield from (filling.gives_nothing_to_nobody, filling.takes_repeated_items)
    yield from (filling.takes_equal_times, filling.takes_long_histories)
    yield from (answers.asked_user_does_not_matter, answers.leaves_queries_as_they_are)
    yield from (answers.cut_history_equals_its_copy, answers.batch_equals_one_by_one)
    yield from (answers.scores_agree_with_candidates, answers.similarities_are_numbers)
    yield answers.reasons_are_of_the_history
    yield from (learning.leaves_data_as_they_are, learning.same_seed_gives_same_answers)
    yield from (learning.loaded_equals_saved, learning.user_numbers_do_not_matter)
    yield from (updating.updates_equal_a_refit, updating.update_leaves_the_old_one)
