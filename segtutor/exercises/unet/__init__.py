"""Exercises of the chapter on U-Net."""
