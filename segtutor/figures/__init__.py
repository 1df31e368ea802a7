"""Pictures for the book: still ones drawn by Matplotlib, moving ones by plain JavaScript.

Moving figures need no kernel, no network and no library once they stand in a page.
Matplotlib is imported when the first still figure is drawn, not before.
"""

from __future__ import annotations

from segtutor.figures.attention import attention
from segtutor.figures.augmentation import augmentation
from segtutor.figures.convolution import receptive_field, sliding_window
from segtutor.figures.cross_entropy import logits
from segtutor.figures.dilation import dilation_holes
from segtutor.figures.journey import journey
from segtutor.figures.labelgrid import label_pixels
from segtutor.figures.labelmaps import wipe
from segtutor.figures.losses import loss_curves
from segtutor.figures.metrics import paint_masks
from segtutor.figures.moving import MovingFigure
from segtutor.figures.palette import PALETTE, VOID, colorize
from segtutor.figures.plots import pixels, row, use_style
from segtutor.figures.pooling import pooling_window
from segtutor.figures.pyramid import pyramid_bins
from segtutor.figures.readings import file_readings
from segtutor.figures.skips import skips
from segtutor.figures.training import schedules, training_replay
from segtutor.figures.unpooling import unpooling
from segtutor.figures.upsampling import checkerboard

__all__ = [
    "PALETTE",
    "VOID",
    "MovingFigure",
    "attention",
    "augmentation",
    "checkerboard",
    "colorize",
    "dilation_holes",
    "file_readings",
    "journey",
    "label_pixels",
    "logits",
    "loss_curves",
    "paint_masks",
    "pixels",
    "pooling_window",
    "pyramid_bins",
    "receptive_field",
    "row",
    "schedules",
    "skips",
    "sliding_window",
    "training_replay",
    "unpooling",
    "use_style",
    "wipe",
]
