"""Exercises of the chapter on FCN."""
