"""Exercises of the chapter Your first segmentation."""
