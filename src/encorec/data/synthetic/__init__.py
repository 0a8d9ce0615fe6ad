"""A made-up online cinema with a known truth, calibrated on the published figures of KION."""
