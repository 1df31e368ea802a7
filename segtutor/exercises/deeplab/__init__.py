"""Exercises of the chapter on DeepLab."""
