"""Exercises of the chapter on augmentation."""
