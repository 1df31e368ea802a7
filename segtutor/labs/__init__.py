"""Benches for a live kernel: ipywidgets around the real PyTorch code."""

from __future__ import annotations

from segtutor.labs.attention import attention
from segtutor.labs.augmentation import augmentation
from segtutor.labs.convolution import convolution
from segtutor.labs.cross_entropy import cross_entropy
from segtutor.labs.data import data
from segtutor.labs.deeplab import deeplab
from segtutor.labs.fcn import fcn
from segtutor.labs.first_segmentation import first_segmentation
from segtutor.labs.iou import iou
from segtutor.labs.pooling import pooling
from segtutor.labs.pspnet import pspnet
from segtutor.labs.region_losses import region_losses
from segtutor.labs.segnet import segnet
from segtutor.labs.training import training
from segtutor.labs.transfer import transfer
from segtutor.labs.unet import unet
from segtutor.labs.upsampling import upsampling

__all__ = [
    "attention",
    "augmentation",
    "convolution",
    "cross_entropy",
    "data",
    "deeplab",
    "fcn",
    "first_segmentation",
    "iou",
    "pooling",
    "pspnet",
    "region_losses",
    "segnet",
    "training",
    "transfer",
    "unet",
    "upsampling",
]
