"""Faults made to happen: the n-th write, commit, open, transfer … of a desk fails, and its books are checked after."""
