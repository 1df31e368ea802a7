"""Upsampling as other people would write it is right; likely slips get a fitting word."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segtutor.exercises import check
from segtutor.exercises.upsampling.two_rulers import ROW


def nearest_searchsorted(n, size):
    edges = torch.arange(1, n).double()
    return torch.searchsorted(edges, (torch.arange(size) + 0.5) * n / size, right=True)


def nearest_pytorch(n, size):
    row = torch.arange(float(n)).reshape(1, 1, 1, n)
    return F.interpolate(row, size=(1, size), mode="nearest-exact")[0, 0, 0].long()


def nearest_numpy(n, size):
    return np.floor((np.arange(size) + 0.5) * n / size).astype(np.int32)


def nearest_closest_center(n, size):
    """The later of two centers at the same distance."""
    places = [(i + 0.5) * n / size - 0.5 for i in range(size)]
    return [min(range(n), key=lambda m: (round(abs(m - place), 9), -m)) for place in places]


def bilinear_loops(x, size):
    n, channels, height, width = x.shape
    out = torch.zeros(n, channels, *size)
    for i in range(size[0]):
        for j in range(size[1]):
            r = max((i + 0.5) * height / size[0] - 0.5, 0)
            c = max((j + 0.5) * width / size[1] - 0.5, 0)
            r0, c0 = min(int(r), height - 1), min(int(c), width - 1)
            r1, c1 = min(r0 + 1, height - 1), min(c0 + 1, width - 1)
            a, b = r - r0, c - c0
            out[:, :, i, j] = (
                (1 - a) * (1 - b) * x[:, :, r0, c0]
                + (1 - a) * b * x[:, :, r0, c1]
                + a * (1 - b) * x[:, :, r1, c0]
                + a * b * x[:, :, r1, c1]
            )
    return out


def bilinear_numpy_interp(x, size):
    def along(array, axis, m):
        n = array.shape[axis]
        places = (np.arange(m) + 0.5) * n / m - 0.5
        return np.apply_along_axis(lambda v: np.interp(places, np.arange(n), v), axis, array)

    return along(along(x.numpy(), 3, size[1]), 2, size[0])


def bilinear_hat_matrices(x, size):
    def hat(n, m):
        place = ((torch.arange(m) + 0.5) * n / m - 0.5).clamp(0, n - 1)
        return (1 - (torch.arange(n) - place[:, None]).abs()).clamp(min=0)

    rows, columns = hat(x.shape[2], size[0]), hat(x.shape[3], size[1])
    return torch.einsum("ih,nchw,jw->ncij", rows, x, columns)


def bilinear_grid_sample(x, size):
    rows = (torch.arange(size[0]) + 0.5) * 2 / size[0] - 1
    columns = (torch.arange(size[1]) + 0.5) * 2 / size[1] - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    grid = grid.expand(len(x), -1, -1, -1)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def stamps_by_tap(x, weight, bias=None, stride=1, padding=0):
    n, _, h, w = x.shape
    _, c_out, kh, kw = weight.shape
    out = torch.zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for i in range(kh):
        for j in range(kw):
            part = torch.einsum("nihw,io->nohw", x, weight[:, :, i, j])
            rows = slice(i, i + (h - 1) * stride + 1, stride)
            out[:, :, rows, j : j + (w - 1) * stride + 1 : stride] += part
    if padding:
        out = out[:, :, padding:-padding, padding:-padding]
    return out if bias is None else out + bias.view(1, -1, 1, 1)


def stamps_fold(x, weight, bias=None, stride=1, padding=0):
    h, w = x.shape[2:]
    kh, kw = weight.shape[2:]
    columns = weight.flatten(1).T @ x.flatten(2)
    size = ((h - 1) * stride + kh - 2 * padding, (w - 1) * stride + kw - 2 * padding)
    out = F.fold(columns, size, (kh, kw), stride=stride, padding=padding)
    return out if bias is None else out + bias[:, None, None]


def stamps_holes_then_convolution(x, weight, bias=None, stride=1, padding=0):
    """Zeros between the pixels, then a convolution with the kernel turned around."""
    n, c, h, w = x.shape
    spread = torch.zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    kh, kw = weight.shape[2:]
    out = F.conv2d(
        F.pad(spread, (kw - 1, kw - 1, kh - 1, kh - 1)), weight.transpose(0, 1).flip(2, 3)
    )
    out = out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding]
    return out if bias is None else out + bias[:, None, None]


def stamps_as_a_gradient(x, weight, bias=None, stride=1, padding=0):
    size = [
        (n - 1) * stride + k - 2 * padding
        for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)
    ]
    y = torch.zeros(len(x), weight.shape[1], *size, requires_grad=True)
    seen = F.conv2d(y, weight, stride=stride, padding=padding)
    (out,) = torch.autograd.grad(seen, y, x)
    return out if bias is None else out + bias[:, None, None]


def kernel_as_fcn(channels, factor):
    """The way of the FCN repository: ogrid, center, 1 − |x − c|/f."""
    size = 2 * factor - factor % 2
    center = factor - 1 if size % 2 == 1 else factor - 0.5
    og = np.ogrid[:size, :size]
    filt = (1 - abs(og[0] - center) / factor) * (1 - abs(og[1] - center) / factor)
    weight = np.zeros((channels, channels, size, size), np.float32)
    weight[range(channels), range(channels), :, :] = filt
    return weight


def kernel_as_response(channels, factor):
    """What bilinear interpolation makes of a bright pixel."""
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 1
    k = 2 * factor - factor % 2
    large = F.interpolate(dot, scale_factor=factor, mode="bilinear")[0, 0]
    first = int(large[large.shape[0] // 2].nonzero()[0])
    stamp = large[first : first + k, first : first + k]
    return torch.eye(channels)[:, :, None, None] * stamp


def kernel_outer(channels, factor):
    k = 2 * factor - factor % 2
    line = torch.tensor([1 - abs(i - (k - 1) / 2) / factor for i in range(k)])
    return torch.einsum("io,a,b->ioab", torch.eye(channels), line, line)


class Skipping(nn.Module):
    """Transposed convolutions of 6, normalized, in a wiring of its own."""

    def __init__(self):
        super().__init__()
        self.head = nn.ConvTranspose2d(3, 1, 4, stride=2, padding=1)
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(c, 3, 6, stride=2, padding=2), nn.BatchNorm2d(3), nn.ReLU()
            )
            for c in (1, 3)
        )
        self.mix = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        for block in self.up:
            x = block(x)
        return self.head(x + self.mix(x))


def oblong():
    """Kernels of 4 × 6, and one that keeps a row more and cuts it off again."""
    return nn.Sequential(
        nn.ConvTranspose2d(1, 2, (4, 6), stride=2, padding=(1, 2), bias=False),
        nn.ConvTranspose2d(2, 2, (6, 4), stride=2, padding=(2, 1), groups=2),
        nn.ConvTranspose2d(2, 1, 4, stride=2, padding=1),
        nn.Sigmoid(),
    )


HALF = [0.0, 7, 21, 42, 70, 70, 42, 28]
ALIGNED = [0.0, 12, 24, 44, 68, 76, 52, 28]

STYLES = {
    "two_rulers": [
        [HALF, ALIGNED],
        (HALF, ALIGNED),
        np.array([HALF, ALIGNED]),
        torch.cat(
            [
                F.interpolate(
                    torch.tensor([[ROW]]).double(), size=8, mode="linear", align_corners=aligned
                )
                for aligned in (False, True)
            ]
        )[:, 0],
        [[int(v) for v in HALF], [int(v) for v in ALIGNED]],
    ],
    "nearest_exact": [
        nearest_searchsorted,
        nearest_pytorch,
        nearest_numpy,
        nearest_closest_center,
        lambda n, size: tuple(math.floor((i + 0.5) * n / size) for i in range(size)),
        lambda n, size: [int((2 * i + 1) * n / (2 * size)) for i in range(size)],
    ],
    "bilinear": [
        bilinear_loops,
        bilinear_numpy_interp,
        bilinear_hat_matrices,
        bilinear_grid_sample,
        lambda x, size: F.interpolate(x, size=size, mode="bilinear"),
        lambda x, size: nn.Upsample(size=size, mode="bilinear")(x.double()).float(),
        lambda picture, shape: F.interpolate(
            F.interpolate(picture, size=(shape[0], picture.shape[3]), mode="bilinear"),
            size=shape,
            mode="bilinear",
        ),
    ],
    "transposed_size": [
        lambda n, k, stride=1, padding=0, output_padding=0: (
            n * stride + (k - stride) - 2 * padding + output_padding
        ),
        lambda n, kernel, **options: F.conv_transpose1d(
            torch.zeros(1, 1, n), torch.zeros(1, 1, kernel), **options
        ).shape[-1],
        lambda n, kernel, stride=1, padding=0, output_padding=0: next(
            m for m in range(999) if m + 2 * padding - kernel == (n - 1) * stride + output_padding
        ),
        lambda n, kernel, stride=1, padding=0, output_padding=0: np.int64(
            stride * (n - 1) - 2 * padding + (kernel - 1) + output_padding + 1
        ),
    ],
    "conv_transpose2d": [
        stamps_by_tap,
        stamps_fold,
        stamps_holes_then_convolution,
        stamps_as_a_gradient,
        F.conv_transpose2d,
        lambda x, weight, bias=None, stride=1, padding=0: nn.functional.conv_transpose2d(
            x, weight, bias, stride, padding
        ).numpy(),
    ],
    "bilinear_kernel": [kernel_as_fcn, kernel_as_response, kernel_outer],
    "even_decoder": [Skipping(), oblong()],
}
ALL = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), ALL, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL)])
def test_other_styles_are_right(name, style):
    result = check(name, style)
    assert result.outcome == "right", result
    assert "different" not in result.message


def bilinear_wrapping(x, size):
    """NumPy's way with index −1, in loops."""
    x, (h, w) = x.numpy(), x.shape[2:]
    out = np.zeros((*x.shape[:2], *size), np.float32)
    for i in range(size[0]):
        for j in range(size[1]):
            r, c = (i + 0.5) * h / size[0] - 0.5, (j + 0.5) * w / size[1] - 0.5
            r0, c0 = math.floor(r), math.floor(c)
            r1, c1 = min(r0 + 1, h - 1), min(c0 + 1, w - 1)
            top = (1 - (c - c0)) * x[..., r0, c0] + (c - c0) * x[..., r0, c1]
            low = (1 - (c - c0)) * x[..., r1, c0] + (c - c0) * x[..., r1, c1]
            out[..., i, j] = (1 - (r - r0)) * top + (r - r0) * low
    return out


def bilinear_int_instead_of_floor(x, size):
    n, c, h, w = x.shape
    out = torch.zeros(n, c, *size)
    for i in range(size[0]):
        for j in range(size[1]):
            r, q = (i + 0.5) * h / size[0] - 0.5, (j + 0.5) * w / size[1] - 0.5
            r0, q0 = int(r), int(q)
            r1, q1 = min(r0 + 1, h - 1), min(q0 + 1, w - 1)
            a, b = r - r0, q - q0
            top = (1 - b) * x[:, :, r0, q0] + b * x[:, :, r0, q1]
            low = (1 - b) * x[:, :, r1, q0] + b * x[:, :, r1, q1]
            out[:, :, i, j] = (1 - a) * top + a * low
    return out


def bilinear_grid_zeros(x, size):
    rows = (torch.arange(size[0]) + 0.5) * 2 / size[0] - 1
    columns = (torch.arange(size[1]) + 0.5) * 2 / size[1] - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    return F.grid_sample(x, grid.expand(len(x), -1, -1, -1), align_corners=False)


def stamps_assigned(x, weight, bias=None, stride=1, padding=0):
    n, _, h, w = x.shape
    _, c_out, kh, kw = weight.shape
    out = torch.zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for c in range(w):
            stamp = (x[:, :, None, r, c, None, None] * weight[None]).sum(1)
            out[:, :, r * stride : r * stride + kh, c * stride : c * stride + kw] = stamp
    if padding:
        out = out[:, :, padding:-padding, padding:-padding]
    return out if bias is None else out + bias[:, None, None]


def holes_without_turning(x, weight, bias=None, stride=1, padding=0):
    n, c, h, w = x.shape
    spread = torch.zeros(n, c, (h - 1) * stride + 1, (w - 1) * stride + 1)
    spread[:, :, ::stride, ::stride] = x
    kh, kw = weight.shape[2:]
    out = F.conv2d(F.pad(spread, (kw - 1, kw - 1, kh - 1, kh - 1)), weight.transpose(0, 1))
    out = out[:, :, padding : out.shape[2] - padding, padding : out.shape[3] - padding]
    return out if bias is None else out + bias[:, None, None]


SLIPS = [
    ("bilinear", bilinear_wrapping, "up.wrapped"),
    ("bilinear", bilinear_int_instead_of_floor, "up.extrapolated"),
    ("bilinear", bilinear_grid_zeros, "up.zero_border"),
    ("bilinear", lambda x, size: F.interpolate(x, size=size), "up.nearest_shift"),
    ("conv_transpose2d", stamps_assigned, "tconv.overwrite"),
    ("conv_transpose2d", holes_without_turning, "tconv.flip"),
    ("nearest_exact", lambda n, size: [int(i * n / size) for i in range(size)], "up.nearest_shift"),
    ("transposed_size", lambda n, k, stride=1, padding=0, output_padding=0: n * stride,
     "tconv.size"),
    ("two_rulers", [ALIGNED, HALF], "up.align_corners"),
    ("two_rulers", [[0.0, 0, 28, 28, 84, 84, 28, 28]] * 2, "up.nearest"),
    ("even_decoder", nn.Sequential(*[nn.ConvTranspose2d(1, 1, 3, 2, 1, 1) for _ in range(3)]),
     "tconv.checker"),
    ("even_decoder", nn.Sequential(*[nn.ConvTranspose2d(1, 1, 2, 2) for _ in range(3)]),
     "tconv.blocks"),
    ("even_decoder", nn.ConvTranspose2d(1, 1, 16, 8, 4), "tconv.three_layers"),
    ("even_decoder", nn.Sequential, "up.not_a_module"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "slip", "tag"), SLIPS, ids=[f"{n}-{t}" for n, _, t in SLIPS])
def test_what_learners_hand_in_gets_a_fitting_word(name, slip, tag):
    result = check(name, slip)
    assert (result.outcome, result.mistake) == ("wrong", tag), result


def test_groups_of_one_channel_and_aligned_corners_are_accepted():
    def depthwise(channels, factor):
        return torch.from_numpy(kernel_as_fcn(1, factor)).repeat(channels, 1, 1, 1)

    def aligned(x, size):
        return nn.UpsamplingBilinear2d(size=size)(x)

    for name, function in (("bilinear_kernel", depthwise), ("bilinear", aligned)):
        result = check(name, function)
        assert result.outcome == "right"
        assert result.message.startswith("Accepted, but different.")


def test_the_row_of_two_rulers_stands_in_the_chapter():
    path = Path(__file__).parents[2] / "book/foundations/upsampling.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (cell,) = (cell for cell in cells if cell["id"] == "row-to-stretch")
    assert f"[{', '.join(map(str, map(float, ROW)))}]".replace(".0", "") in "".join(
        cell["source"]
    ).replace(".0", "")
