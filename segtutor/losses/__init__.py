"""Losses: what a segmentation network is trained by."""
