"""What an analysis says, as one HTML page: verdict, rule, checks, effects, money, segments, time, method."""

from encorec.experiment.report.experiment_page import experiment_page, write

__all__ = ["experiment_page", "write"]
