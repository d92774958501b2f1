"""Trackers write a run down where people look at the runs of many tools; the store needs none of them."""
