"""The building blocks of a segmentation network, written by hand with PyTorch's arguments."""

from segtutor.ops.arithmetic import ConvCost, conv_cost, effective_kernel, output_size
from segtutor.ops.convolution import (
    conv2d,
    conv2d_loops,
    depthwise_separable_conv2d,
    true_conv2d,
)
from segtutor.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from segtutor.ops.pooling import avg_pool2d, max_pool2d, max_pool2d_loops, pooled_size
from segtutor.ops.pyramid import (
    adaptive_avg_pool2d,
    adaptive_bins,
    adaptive_max_pool2d,
    global_avg_pool2d,
    pyramid_pool2d,
)
from segtutor.ops.receptive_field import (
    Layer,
    MeasuredField,
    ReceptiveField,
    layers_of,
    measured_receptive_field,
    receptive_field,
)
from segtutor.ops.transposed import (
    conv_transpose2d,
    conv_transpose2d_loops,
    conv_transpose_size,
    convolution_matrix,
)
from segtutor.ops.unpooling import max_unpool2d
from segtutor.ops.upsampling import (
    bilinear_kernel,
    interpolate,
    interpolation_matrix,
    nearest_index,
)

__all__ = [
    "ConvCost",
    "Layer",
    "MeasuredField",
    "ReceptiveField",
    "adaptive_avg_pool2d",
    "adaptive_bins",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "bilinear_kernel",
    "conv2d",
    "conv2d_loops",
    "conv_cost",
    "conv_transpose2d",
    "conv_transpose2d_loops",
    "conv_transpose_size",
    "convolution_matrix",
    "depthwise_separable_conv2d",
    "effective_kernel",
    "global_avg_pool2d",
    "interpolate",
    "interpolation_matrix",
    "layers_of",
    "max_pool2d",
    "max_pool2d_loops",
    "max_unpool2d",
    "measured_receptive_field",
    "nearest_index",
    "output_size",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pooled_size",
    "pyramid_pool2d",
    "receptive_field",
    "true_conv2d",
]
