"""Exercises of the chapter on cross-entropy."""
