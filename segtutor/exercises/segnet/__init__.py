"""Exercises of the chapter on SegNet."""
