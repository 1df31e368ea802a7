"""Exercises of the chapter on region losses."""
