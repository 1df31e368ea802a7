"""Exercises of the chapter on IoU."""
