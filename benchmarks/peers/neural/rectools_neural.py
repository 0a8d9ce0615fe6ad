"""Driver: neural models of RecTools, trained and asked. Runs in the environment of this folder."""

import logging
import warnings

import numpy as np
import pandas as pd
import torch
from dialogue import serve, timed
from lightning_fabric.utilities.seed import seed_everything
from pytorch_lightning import Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import DSSMModel, SASRecModel

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
SEED = 7
TABLE, FEATURES = {}, {}


def load(folder, name, threads):
    """Read the past of one fold, its users, and what is known of users and items, if anything is.

    Args:
        folder: of the files.
        name: of the fold.
        threads: that torch may use.
    """
    torch.set_num_threads(threads)
    table = pd.read_parquet(f"{folder}/past-{name}.parquet").rename(columns={"timestamp": Columns.Datetime})
    table[Columns.Datetime] = pd.to_datetime(table[Columns.Datetime], unit="s")
    TABLE["past"], TABLE["users"] = table.assign(**{Columns.Weight: 1.0}), np.load(f"{folder}/users-{name}.npy")
    for side, key in (("users", Columns.User), ("items", Columns.Item)):
        known = pd.read_parquet(f"{folder}/{side}.parquet")
        FEATURES[side] = long_features(known[known[key].isin(table[key])], key)
    return {"events": len(table)}


def long_features(known, key):
    """One row per subject and what is said of it, as ``Dataset.construct`` wants them; numbers in ten parts."""
    columns = {}
    for name in known.columns.drop(key):
        numbers = pd.api.types.is_numeric_dtype(known[name]) and known[name].nunique() > 2
        columns[name] = pd.cut(known[name], 10).astype(str) if numbers else known[name].astype(str)
    wide = pd.DataFrame({**columns, "id": known[key]})
    return wide.melt("id", var_name="feature")


def trainer(epochs):
    """A plain trainer, without bars, files or sanity checks."""
    return Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )


def sasrec(epochs, settings, k, out):
    """Fit SASRec and write (users, k) items; -1 = nothing. Returns the seconds of both.

    Args:
        epochs: trained.
        settings: of the model.
        k: places.
        out: .npy file.
    """
    seed_everything(SEED)
    dataset, users = Dataset.construct(TABLE["past"]), TABLE["users"]
    model = SASRecModel(epochs=epochs, get_trainer_func=lambda: trainer(epochs), **settings)
    _, fit = timed(lambda: model.fit(dataset))
    found, asked = timed(
        lambda: model.recommend(users, dataset, k, filter_viewed=True, on_unsupported_targets="ignore")
    )
    lists = np.full((len(users), k), -1, np.int32)
    place = pd.Series(np.arange(len(users)), index=users)
    lists[found[Columns.User].map(place), found[Columns.Rank] - 1] = found[Columns.Item]
    np.save(out, lists)
    return {"fit": fit, "recommend": asked}


def dssm(epochs, batch, size):
    """Train DSSM; returns the seconds, and how many triples it was shown: one per user and epoch.

    Args:
        epochs: trained.
        batch: triples of one step.
        size: numbers per vector.
    """
    seed_everything(SEED)
    dataset = Dataset.construct(
        TABLE["past"],
        user_features_df=FEATURES["users"],
        cat_user_features=list(FEATURES["users"]["feature"].unique()),
        item_features_df=FEATURES["items"],
        cat_item_features=list(FEATURES["items"]["feature"].unique()),
    )
    model = DSSMModel(n_factors=size, max_epochs=epochs, batch_size=batch)
    model._trainer = trainer(epochs)  # it takes no other; its own draws a bar and writes files
    _, seconds = timed(lambda: model.fit(dataset))
    return {"seconds": seconds, "samples": epochs * TABLE["past"][Columns.User].nunique()}


if __name__ == "__main__":
    serve({"load": load, "sasrec": sasrec, "dssm": dssm})
