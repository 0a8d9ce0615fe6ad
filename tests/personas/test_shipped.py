"""The personas that come for MovieLens, held against MovieLens itself."""

from dataclasses import replace

from tests.worlds import Trained

from encorec.data.sources import MovieLens100K, load
from encorec.personas.persona import load_personas, shipped_personas
from encorec.personas.shelf import Shelf


def test_every_title_and_feature_of_the_shipped_personas_exists(trained: Trained) -> None:
    data = load(MovieLens100K())
    films = replace(trained.engine.artifact, items=data.items, titles=data.titles)
    shelf, people = Shelf(films, "movielens-100k"), data.user_features
    for persona in load_personas(shipped_personas("movielens-100k")).values():
        assert len({shelf.row(one.item) for one in persona.taken()}) == len(persona.history)
        for name, value in persona.features.items():
            assert name in people.numeric or str(value) in people.categorical[name].values
