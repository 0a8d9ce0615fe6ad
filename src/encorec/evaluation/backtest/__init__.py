"""Exams judged: per user, by segment, by age of what was wanted, and all exams as one."""
