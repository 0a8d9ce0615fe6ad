"""Before the data: how many units, for how many days, to see how small an effect."""
