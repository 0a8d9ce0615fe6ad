"""What KION is like in figures, and the parameters fitted to them: the only trace of the real data in the project.

How they were fitted:

- ``VIEW_KNOTS``: mean log views of the items within 6 % of each rank, joined by straight lines in log-log; below rank
  5,000 the rates of a Poisson mixture for "views after the first" (maximum likelihood by EM), since a count of one or
  two says little of a rate; the last four rates lowered by a tenth, to meet the number of items with one view.
- ``ACTIVITY_TAIL``: a lognormal with softened tail (log = 0.537 + 1.498 z - 0.1 max(z - 2, 0) ** 2), rounded up; its
  share of ones, mean 5.69 and median 2 as published, its tail held against the largest users.
- ``AGE_SEX_INCOME``: counts of the user profiles at hand, brought to the published marginals by iterative
  proportional fitting, in millionths.
- ``DAILY_USERS``, ``NEW_USERS``: read off the published daily curves; levels adjusted so that the counts of the three
  published weekly folds and the totals are met.
- ``WATCHED_TENTHS``, ``MEAN_SECONDS``: the published histogram and quantiles over items.
"""

__all__ = [
    "ACTIVITY_TAIL",
    "AGES",
    "AGE_SEX_INCOME",
    "COLD_TO_PREDICT",
    "DAILY_USERS",
    "FIRST_DAY",
    "INCOMES",
    "ITEMS",
    "ITEMS_WATCHED",
    "KIDS_BY_AGE",
    "MEAN_SECONDS",
    "MISSING_WATCHED",
    "NEW_USERS",
    "PROFILES_OF_IDLE",
    "ROWS",
    "SEXES",
    "UNKNOWN_PROFILE",
    "USERS",
    "USERS_WITHOUT_PROFILE",
    "VIEW_KNOTS",
    "WARM_TO_PREDICT",
    "WATCHED_TENTHS",
]

USERS = 962_179
"""Users with interactions."""
PROFILES_OF_IDLE = 95_909
"""Users who are described but never watched."""
USERS_WITHOUT_PROFILE = 217_891
"""Users with interactions who are not described."""
ITEMS = 15_963
ITEMS_WATCHED = 15_706
ROWS = 5_476_251
MISSING_WATCHED = 828
WARM_TO_PREDICT, COLD_TO_PREDICT = 128_170, 64_943
"""Users of the competition with and without interactions."""
FIRST_DAY = "2021-03-13"

AGES = ("age_18_24", "age_25_34", "age_35_44", "age_45_54", "age_55_64", "age_65_inf")
SEXES = ("F", "M")
INCOMES = ("income_0_20", "income_20_40", "income_40_60", "income_60_90", "income_90_150", "income_150_inf")

AGE_SEX_INCOME = (
    ((8229, 69927, 15531, 1651, 46, 12), (2380, 40790, 14642, 1308, 28, 3)),
    ((4958, 93222, 41217, 10542, 1851, 98), (1498, 65481, 47735, 14114, 2347, 106)),
    ((3384, 69166, 35563, 9720, 2104, 223), (862, 53283, 51555, 19783, 4616, 366)),
    ((1853, 44265, 21866, 6100, 1367, 179), (515, 36835, 34836, 13078, 3433, 211)),
    ((901, 29834, 9312, 1223, 175, 21), (318, 31211, 15035, 2605, 441, 33)),
    ((1168, 21551, 6086, 1118, 161, 3), (386, 15682, 7476, 1956, 373, 52)),
)
KIDS_BY_AGE = (0.158, 0.304, 0.507, 0.340, 0.082, 0.090)
"""Share with children, by age."""
UNKNOWN_PROFILE = (
    (("age", "income", "sex"), 6000),
    (("age", "income"), 6050),
    (("age", "sex"), 200),
    (("age",), 1845),
    (("income", "sex"), 700),
    (("income",), 2026),
    (("sex",), 6931),
)
"""What is unknown together, and for how many of 840,197 profiles."""

VIEW_KNOTS = (
    (1, 202457), (2, 193123), (3, 132865), (4, 122119), (5, 91167), (6, 74803), (7, 68581), (8, 55043), (9, 45367),
    (10, 40372), (13, 35775), (17, 23456), (23, 19917), (30, 16684), (40, 13152), (52, 10726), (70, 8439), (92, 7176),
    (122, 5741), (157, 4697), (210, 3903), (280, 3207), (380, 2418), (500, 1950), (640, 1574), (785, 1306),
    (1000, 1007), (1250, 795), (1571, 603), (1950, 442), (2400, 310), (3000, 196), (3600, 125), (4300, 75),
    (5000, 47), (5800, 29.4), (6700, 19.3), (7853, 10.97), (9000, 6.61), (10200, 3.77), (11500, 2.04), (12500, 1.30),
    (13449, 0.82), (14200, 0.43), (15000, 0.10), (15706, 0.02),
)  # fmt: skip
"""(rank, views after the first) of the items by popularity."""

ACTIVITY_TAIL = (
    (1, 0.6400), (2, 0.4585), (3, 0.3535), (4, 0.2850), (5, 0.2365), (6, 0.2005), (8, 0.1505), (10, 0.1187),
    (13, 0.0879), (16, 0.0677), (20, 0.0500), (25, 0.0363), (32, 0.0246), (40, 0.0168), (50, 0.0113), (64, 0.00705),
    (80, 0.00447), (100, 0.00277), (128, 0.00157), (160, 0.000902), (200, 0.000503), (250, 0.000268), (320, 0.000121),
    (400, 0.0000525), (500, 0.0000218), (640, 0.0000058), (800, 0.0000024), (1000, 0.0000015), (1341, 0.0),
)  # fmt: skip
"""(n, share of users with more than n items)."""

DAILY_USERS = (
    (0, 10.5), (2, 9.5), (7, 9.0), (37, 9.3), (48, 15.0), (64, 17.4), (79, 19.8), (90, 25.0), (100, 27.4), (120, 29.0),
    (134, 30.6), (140, 33.4), (144, 35.2), (151, 36.4), (157, 38.6), (162, 42.5),
)  # fmt: skip
"""(day, thousands of distinct users) before the weekly rhythm and the spikes."""
NEW_USERS = (
    (0, 10.0), (1, 8.6), (3, 7.2), (7, 5.6), (14, 4.5), (24, 3.5), (33, 2.95), (40, 3.3), (49, 4.0), (64, 4.7),
    (79, 5.3), (90, 6.5), (110, 7.1), (130, 7.4), (141, 7.6), (162, 8.1),
)  # fmt: skip
"""(day, thousands of new users) before the weekly rhythm and the spikes."""

WATCHED_TENTHS = (1750, 610, 300, 230, 165, 180, 155, 150, 160, 1770)
"""Thousands of views by tens of per cent watched."""
MEAN_SECONDS = (
    (0.0, 8),
    (0.05, 55),
    (0.25, 960),
    (0.5, 3600),
    (0.75, 5900),
    (0.95, 18500),
    (0.99, 40000),
    (1.0, 120000),
)
"""(share of items, mean seconds watched per view)."""
