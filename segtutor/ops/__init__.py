"""The building blocks of a segmentation network, written by hand with PyTorch's arguments."""

from segtutor.ops.arithmetic import ConvCost, conv_cost, effective_kernel, output_size
from segtutor.ops.convolution import (
    conv2d,
    conv2d_loops,
    depthwise_separable_conv2d,
    true_conv2d,
)
from segtutor.ops.receptive_field import (
    Layer,
    MeasuredField,
    ReceptiveField,
    layers_of,
    measured_receptive_field,
    receptive_field,
)

__all__ = [
    "ConvCost",
    "Layer",
    "MeasuredField",
    "ReceptiveField",
    "conv2d",
    "conv2d_loops",
    "conv_cost",
    "depthwise_separable_conv2d",
    "effective_kernel",
    "layers_of",
    "measured_receptive_field",
    "output_size",
    "receptive_field",
    "true_conv2d",
]
