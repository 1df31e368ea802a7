"""Exercises of the chapter on upsampling."""
