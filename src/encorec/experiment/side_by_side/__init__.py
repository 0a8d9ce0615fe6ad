"""Two systems' lists, judged blind by people: a page of pairs, its key, the answers, and what they agree on."""

from encorec.experiment.side_by_side.answers import Answer, read_answers
from encorec.experiment.side_by_side.judgement import judge
from encorec.experiment.side_by_side.judging_page import judging_page, write_judging_page
from encorec.experiment.side_by_side.key import Key, read_key, write_key
from encorec.experiment.side_by_side.pairs import Pairs, pair_lists

__all__ = [
    "Answer",
    "Key",
    "Pairs",
    "judge",
    "judging_page",
    "pair_lists",
    "read_answers",
    "read_key",
    "write_judging_page",
    "write_key",
]
