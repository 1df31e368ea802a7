"""Exercises of the chapter on PSPNet."""
