"""What lists are judged by: one file per kind of metric, and the table of all of them."""
