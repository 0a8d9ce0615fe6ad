"""A/A: real units are split again and again, and no effect should be found."""
