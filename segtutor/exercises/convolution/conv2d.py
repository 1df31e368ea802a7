"""Write the convolution that PyTorch calls `conv2d`."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def conv2d(x, weight, bias=None, stride=1, padding=0):
    """x (N, C_in, H, W), weight (C_out, C_in, kH, kW), bias (C_out,)."""
    raise NotImplementedError
'''


def conv2d(x, weight, bias=None, stride=1, padding=0):
    """Add up the input, once for each tap of the kernel."""
    x = F.pad(x, (padding, padding, padding, padding))
    c_out, _, k_h, k_w = weight.shape
    height = (x.shape[2] - k_h) // stride + 1
    width = (x.shape[3] - k_w) // stride + 1
    out = x.new_zeros(x.shape[0], c_out, height, width)
    for i in range(k_h):
        for j in range(k_w):
            # What lies under tap (i, j) while the kernel visits all its places.
            rows = slice(i, i + stride * (height - 1) + 1, stride)
            columns = slice(j, j + stride * (width - 1) + 1, stride)
            seen = x[:, :, rows, columns]  # (N, C_in, height, width)
            out = out + torch.einsum("nchw,oc->nohw", seen, weight[:, :, i, j])
    return out if bias is None else out + bias[:, None, None]


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures on which every mistake shows: no square, no symmetry, no single channel."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(-9, 10, shape, generator=generator).float()

    ramp = torch.arange(12.0).reshape(1, 1, 3, 4)
    taps = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]])
    impulse = F.pad(torch.ones(1, 1, 1, 1), (2, 2, 2, 2))
    return [
        Case((ramp, taps)),
        Case((impulse, torch.arange(1.0, 10.0).reshape(1, 1, 3, 3))),
        Case((draw(1, 2, 3, 4), draw(1, 2, 2, 2))),  # channels are added
        Case((draw(1, 1, 3, 4), draw(2, 1, 2, 2)), {"bias": draw(2)}),
        Case((ramp - 5, taps), {"stride": 2}),  # the last row is left over
        Case((ramp + 1, taps), {"padding": 1}),
        Case((ramp + 2, torch.tensor([[[[1.0, 2.0, -4.0]]]]))),
        Case(
            (draw(2, 3, 7, 6), draw(4, 3, 3, 2)),
            {"bias": draw(4), "stride": 2, "padding": 1},
        ),
        Case((draw(3, 2, 6, 9), draw(5, 2, 2, 3)), {"stride": 3, "padding": 2}),
        Case((torch.randn(2, 3, 5, 8, generator=generator), draw(2, 3, 3, 3)), {"padding": 1}),
    ]


def _flipped(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight.flip(2, 3), bias, stride, padding)


def _transposed(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight.transpose(2, 3), bias, stride, padding)


def _first_channel(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


def _channel_mean(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight / x.shape[1], bias, stride, padding)


def _first_filter(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight[:1], None if bias is None else bias[:1], stride, padding)


def _stride_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, 1, padding)


def _stride_as_dilation(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, 1, padding, dilation=stride)


def _stride_in_size_only(x, weight, bias=None, stride=1, padding=0):
    height, width = conv2d(x, weight, bias, stride, padding).shape[2:]
    return F.conv2d(x, weight, bias, 1, padding)[:, :, :height, :width]


def _last_place_missing(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding, padding, padding, padding))
    height, width = (
        (x.shape[2] - weight.shape[2]) // stride,
        (x.shape[3] - weight.shape[3]) // stride,
    )
    return F.conv2d(x, weight, bias, stride)[:, :, :height, :width]


def _padding_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride)


def _padding_one_side(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(F.pad(x, (padding, 0, padding, 0)), weight, bias, stride)


def _padding_far_side(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(F.pad(x, (0, padding, 0, padding)), weight, bias, stride)


def _padding_edge(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding, padding, padding, padding), mode="replicate")
    return F.conv2d(x, weight, bias, stride)


def _bias_ignored(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, None, stride, padding)


def _bias_every_tap(x, weight, bias=None, stride=1, padding=0):
    bias = None if bias is None else bias * weight[0].numel()
    return F.conv2d(x, weight, bias, stride, padding)


exercise = Exercise(
    name="conv2d",
    kind="function",
    minutes=25,
    difficulty=3,
    stub=STUB,
    hints=(
        "Begin with one picture, one channel, stride 1 and no padding: two loops over the places "
        "of the kernel, and in them `(window * kernel).sum()`. The height of the result is "
        "H − kH + 1. Then let the window hold all input channels, and add a loop over filters.",
        "Padding comes first: put x into a larger tensor of zeros, and forget it. With stride, the "
        "window of output (r, c) begins at row r·stride, column c·stride of the padded picture. "
        "The bias is added once to every number of its output channel.",
    ),
    solution=conv2d,
    why=(
        "A kernel of 3×3 has nine taps. The loop goes over the taps and not over the pixels: in "
        "each round, every pixel that lies under one tap is multiplied with the weights of this "
        "tap, for all pictures, channels and places at once. `einsum` adds over the input "
        "channels c, which is what joins them; the nine rounds add up the window."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "conv.flip",
            _flipped,
            "You flipped the kernel. That is convolution in the mathematician's sense; PyTorch's "
            "`conv2d` slides the kernel as it stands (cross-correlation). A symmetric kernel does "
            "not show the difference: try a single 1 among zeros, and the kernel 1 to 9.",
        ),
        Mistake(
            "conv.transpose",
            _transposed,
            "You exchanged the rows and columns of the kernel. `weight[o, c, i, j]` belongs to the "
            "pixel i rows down and j columns to the right: try a kernel of one row.",
        ),
        Mistake(
            "conv.channel_first",
            _first_channel,
            "Only the first input channel reaches your result. Each filter has one kernel for "
            "each input channel, and the products of all channels are added.",
        ),
        Mistake(
            "conv.channel_mean",
            _channel_mean,
            "You averaged over the input channels. They are added: with three equal channels the "
            "result is three times as large as with one.",
        ),
        Mistake(
            "conv.first_filter",
            _first_filter,
            "You used only the first filter. Each `weight[o]` makes an output channel of its own, "
            "so the result has as many channels as there are filters.",
        ),
        Mistake(
            "conv.stride_ignored",
            _stride_ignored,
            "The stride has no effect on your result. With stride 2 the kernel visits every second "
            "row and every second column only, and the result is about half as high and wide.",
        ),
        Mistake(
            "conv.stride_as_dilation",
            _stride_as_dilation,
            "You pulled the taps of the kernel apart by the stride. That is dilation. Stride "
            "leaves the kernel as it is, and makes its steps from place to place longer.",
        ),
        Mistake(
            "conv.stride_in_size_only",
            _stride_in_size_only,
            "Your result has the right size for the stride, but the windows still lie one pixel "
            "apart. Where does the window of output row 1 begin when the stride is 2?",
        ),
        Mistake(
            "conv.size",
            _last_place_missing,
            "The last row and the last column of your result are missing. A kernel that is as high "
            "as the picture fits once, not zero times: count the places again.",
        ),
        Mistake(
            "conv.padding_ignored",
            _padding_ignored,
            "The padding has no effect on your result. Put a frame of zeros, `padding` pixels "
            "wide, around the picture before the kernel slides.",
        ),
        Mistake(
            "conv.padding_one_side",
            _padding_one_side,
            "You padded only above and on the left. The frame of zeros goes all around, so that "
            "height and width grow by twice the padding.",
        ),
        Mistake(
            "conv.padding_far_side",
            _padding_far_side,
            "You padded only below and on the right. The frame of zeros goes all around, so that "
            "height and width grow by twice the padding.",
        ),
        Mistake(
            "conv.padding_edge",
            _padding_edge,
            "You repeated the pixels of the border. Some networks do; `conv2d` pads with zeros "
            "unless it is told otherwise.",
        ),
        Mistake(
            "conv.bias_ignored",
            _bias_ignored,
            "The bias has no effect on your result. `bias[o]` is added to every number of output "
            "channel o.",
        ),
        Mistake(
            "conv.bias_every_tap",
            _bias_every_tap,
            "You added the bias once for each weight of the filter. It is added once for each "
            "output number, after the sum: does the line stand inside one loop too many?",
        ),
    ),
)
