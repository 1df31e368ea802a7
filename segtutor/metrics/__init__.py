"""Metrics: what a segmentation is scored by."""
