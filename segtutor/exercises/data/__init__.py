"""Exercises of the chapter on data and label maps."""
