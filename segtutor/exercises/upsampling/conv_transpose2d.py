"""Write the transposed convolution that PyTorch calls `conv_transpose2d`."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def conv_transpose2d(x, weight, bias=None, stride=1, padding=0):
    """x (N, C_in, H, W), weight (C_in, C_out, kH, kW), bias (C_out,)."""
    raise NotImplementedError
'''


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0):
    """Let every pixel stamp the kernel; add; cut the rim off."""
    n, _, height, width = x.shape
    _, c_out, k_h, k_w = weight.shape
    canvas = x.new_zeros(n, c_out, (height - 1) * stride + k_h, (width - 1) * stride + k_w)
    for r in range(height):
        for c in range(width):
            stamp = torch.einsum("ni,iohw->nohw", x[:, :, r, c], weight)
            top, left = r * stride, c * stride
            canvas[:, :, top : top + k_h, left : left + k_w] += stamp
    out = canvas[:, :, padding : canvas.shape[2] - padding, padding : canvas.shape[3] - padding]
    return out if bias is None else out + bias[:, None, None]


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures on which every mistake shows: no square, no symmetry, overlapping stamps."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-9, 10, shape, generator=generator).float()

    few = torch.tensor([[[[1.0, 2.0, -3.0], [4.0, 0.0, 5.0]]]])
    taps = torch.tensor([[[[1.0, 2.0], [3.0, -4.0], [5.0, 7.0]]]])
    return [
        Case((few, taps)),
        Case((few + 1, taps), {"stride": 2}),  # stamps overlap in the rows only
        Case((few + 2, taps), {"padding": 1}),
        Case((few + 3, taps), {"stride": 3}),  # they do not touch
        Case((draw(1, 2, 2, 3), draw(2, 1, 3, 2))),  # channels are added
        Case((draw(1, 1, 2, 3), draw(1, 2, 3, 3)), {"bias": draw(2), "stride": 2}),
        Case((draw(2, 3, 4, 5), draw(3, 2, 3, 4)), {"stride": 2, "padding": 1}),
        Case((draw(1, 2, 3, 4), draw(2, 3, 4, 5)), {"bias": draw(3), "stride": 2, "padding": 2}),
        Case((torch.randn(2, 3, 3, 5, generator=generator), draw(3, 4, 3, 2)), {"stride": 2}),
    ]


def _stamped(x, weight, stride, how):
    """Stamp with another rule than adding: `how(canvas part, stamp)` writes into the part."""
    height, width = x.shape[2:]
    c_out, k_h, k_w = weight.shape[1:]
    canvas = x.new_zeros(len(x), c_out, (height - 1) * stride + k_h, (width - 1) * stride + k_w)
    for r in range(height):
        for c in range(width):
            stamp = torch.einsum("ni,iohw->nohw", x[:, :, r, c], weight)
            part = canvas[:, :, r * stride : r * stride + k_h, c * stride : c * stride + k_w]
            how(part, stamp)
    return canvas


def _trimmed(canvas, bias, top, bottom, left, right):
    out = canvas[:, :, top : canvas.shape[2] - bottom, left : canvas.shape[3] - right]
    return out if bias is None else out + bias[:, None, None]


def _overwritten(x, weight, bias=None, stride=1, padding=0):
    canvas = _stamped(x, weight, stride, lambda part, stamp: part.copy_(stamp))
    return _trimmed(canvas, bias, padding, padding, padding, padding)


def _flipped(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x, weight.flip(2, 3), bias, stride, padding)


def _taps_transposed(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x, weight.transpose(2, 3), bias, stride, padding)


def _first_channel(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x[:, :1], weight[:1], bias, stride, padding)


def _stride_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x, weight, bias, 1, padding)


def _padding_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x, weight, bias, stride)


def _padding_added(x, weight, bias=None, stride=1, padding=0):
    out = F.pad(F.conv_transpose2d(x, weight, None, stride), (padding,) * 4)
    return out if bias is None else out + bias[:, None, None]


def _input_padded(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(F.pad(x, (padding,) * 4), weight, bias, stride)


def _near_side(x, weight, bias=None, stride=1, padding=0):
    return _trimmed(F.conv_transpose2d(x, weight, None, stride), bias, padding, 0, padding, 0)


def _far_side(x, weight, bias=None, stride=1, padding=0):
    return _trimmed(F.conv_transpose2d(x, weight, None, stride), bias, 0, padding, 0, padding)


def _times_stride(x, weight, bias=None, stride=1, padding=0):
    """The canvas is n·stride pixels: what the last stamps write beyond it is lost, or 0."""
    full = F.conv_transpose2d(x, weight, None, stride)
    height, width = x.shape[2] * stride, x.shape[3] * stride
    more = (max(0, height - full.shape[2]), max(0, width - full.shape[3]))
    full = F.pad(full, (0, more[1], 0, more[0]))[:, :, :height, :width]
    return _trimmed(full, bias, padding, padding, padding, padding)


def _bias_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv_transpose2d(x, weight, None, stride, padding)


def _bias_every_stamp(x, weight, bias=None, stride=1, padding=0):
    def add(part, stamp):
        part += stamp if bias is None else stamp + bias[:, None, None]

    return _trimmed(_stamped(x, weight, stride, add), None, padding, padding, padding, padding)


exercise = Exercise(
    name="conv_transpose2d",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "Begin with one channel and stride 1, on a canvas of zeros. Two loops over the *input*: "
        "each pixel multiplies the whole kernel by its value and adds it to the canvas, its upper "
        "left corner at the pixel's own place. How large does the canvas have to be?",
        "With stride, the stamp of pixel (r, c) begins at (r·stride, c·stride), so the canvas "
        "needs (H − 1)·stride + kH rows. Padding comes last and takes away: cut that many pixels "
        "off each of the four sides. `weight[i, o]` is the stamp of input channel i on output o.",
    ),
    solution=conv_transpose2d,
    why=(
        "A convolution reads: each output pixel gathers from a window of the input. Its transpose "
        "writes: each input pixel spreads over a window of the output. The same taps join the "
        "same pixels, in the other direction, so the stride becomes the step between stamps, and "
        "padding, which let a window begin outside the picture, becomes the rim that is cut off."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "tconv.overwrite",
            _overwritten,
            "Where stamps overlap, the last one has replaced the others. They are added: `+=` "
            "instead of `=`.",
        ),
        Mistake(
            "tconv.flip",
            _flipped,
            "You stamped the kernel turned around. A pixel of 1 among zeros has to leave the "
            "kernel on the canvas as it is written.",
        ),
        Mistake(
            "tconv.transpose",
            _taps_transposed,
            "You exchanged the rows and columns of the kernel. `weight[i, o, a, b]` lands a rows "
            "down and b columns to the right.",
        ),
        Mistake(
            "tconv.channel_first",
            _first_channel,
            "Only the first input channel stamps. Each has a kernel of its own for each output "
            "channel, and all of their stamps are added.",
        ),
        Mistake(
            "tconv.stride_ignored",
            _stride_ignored,
            "The stride has no effect on your result. With stride 2 the stamps of two neighbors "
            "begin two pixels apart, and the result is about twice as large.",
        ),
        Mistake(
            "tconv.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your result. It is cut off: `padding` rows above and "
            "below, `padding` columns left and right.",
        ),
        Mistake(
            "tconv.padding_adds",
            _padding_added,
            "You put a rim of zeros around the result. Transposed, padding does the opposite: "
            "where convolution adds a rim to its input, this cuts one off its output.",
        ),
        Mistake(
            "tconv.input_padded",
            _input_padded,
            "You padded the input, as a convolution does. Transposed, padding acts on the output "
            "and takes away: cut `padding` pixels off each side.",
        ),
        Mistake(
            "tconv.padding_near_side",
            _near_side,
            "You cut the padding off above and on the left only. It comes off all four sides, so "
            "that height and width shrink by twice the padding.",
        ),
        Mistake(
            "tconv.padding_far_side",
            _far_side,
            "You cut the padding off below and on the right only. It comes off all four sides, so "
            "that height and width shrink by twice the padding.",
        ),
        Mistake(
            "tconv.size",
            _times_stride,
            "Your canvas has H·stride rows. The last stamp begins at row (H − 1)·stride and is kH "
            "rows high: a kernel larger than the stride reaches further than you let it, a "
            "smaller one less far.",
        ),
        Mistake(
            "tconv.bias_ignored",
            _bias_ignored,
            "The bias has no effect on your result. `bias[o]` is added to every pixel of output "
            "channel o.",
        ),
        Mistake(
            "tconv.bias_every_stamp",
            _bias_every_stamp,
            "You added the bias with every stamp, so that it counts double where two overlap, and "
            "not at all where nothing was stamped. Add it once, to the finished result.",
        ),
    ),
)
