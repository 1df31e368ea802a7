"""A bench for attention: what is likeness, how sharp is a look, and which axis sums to one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segtutor.data import street_scene
from segtutor.labs.bench import Bench, checkbox, choice, figures_in_a_row, number, picture, slider
from segtutor.models.self_attention import attention_weights

ROWS, COLUMNS, SIDE = 16, 24, 8  # places of the map, and the pixels of one
SIZE = (ROWS * SIDE, COLUMNS * SIDE)
MARK = torch.tensor([1.0, 0.4, 0.0])


def attention() -> AttentionBench:
    """A bench that lets every place of a street look at all others.

    In a page, where no kernel listens, it shows a still picture.

    Returns:
        The bench; as the last value of a cell it is shown.

    Example:
        >>> bench = attention()
        >>> bench.sharpness.value = 0
        >>> bool(torch.allclose(bench.weights, torch.tensor(1 / 384)))
        True
    """
    return AttentionBench()


class AttentionBench(Bench):
    """The widgets, and the weights of all looks.

    Attributes:
        weights: Who looks where, (384, 384): a row for each of 16×24 places.
        found: The mean color that each place finds, (3, 16, 24).
    """

    weights: Tensor
    found: Tensor
    summary = "every place of a street looks at all others"
    runs = "the real segtutor.models.attention_weights"

    def __init__(self) -> None:
        self._street, _ = street_scene(SIZE)
        self._colors = F.avg_pool2d(self._street, SIDE)  # (3, 16, 24)
        self.row = slider("row", 1, ROWS, 14)
        self.column = slider("column", 1, COLUMNS, 10)
        self.likeness = choice("likeness", ["color", "color and place", "place"])
        self.sharpness = slider("sharpness", 0, 10, 6)
        self.wrong = checkbox("softmax over the queries (wrong)")
        watched = (self.row, self.column, self.likeness, self.sharpness, self.wrong)
        self.watch(*watched)
        self.lay_out([self.row, self.column], [self.likeness, self.sharpness], [self.wrong])

    def draw(self) -> str:
        """Let every place look, and show the look of one and what all of them find."""
        keys = self._keys()
        scale = 0.0 if self.sharpness.value == 0 else 2.0 ** (self.sharpness.value - 1)
        self.weights = attention_weights(keys, keys, scale=scale)
        if self.wrong.value:  # likeness is symmetric here: the transposed has columns of sum one
            self.weights = self.weights.T
        colors = self._colors.flatten(1).T  # (384, 3)
        self.found = (self.weights @ colors).T.reshape(3, ROWS, COLUMNS)
        place = (self.row.value - 1) * COLUMNS + self.column.value - 1
        look = self.weights[place]
        half = int((look.sort(descending=True).values.cumsum(0) < look.sum() / 2).sum()) + 1
        words = f"largest weight {number(100 * float(look.max()))} %, all sum to "
        words += f"{number(100 * float(look.sum()))} %; half lies in {half} of {len(look)} places"
        return figures_in_a_row(
            (picture(self._marked(self._street)), "the street, and the place that looks"),
            (picture(self._marked(self._lit(look))), words),
            (picture(self.found.clamp(0, 1), 0, 1), "the mean color that each place finds"),
            sharp=True,
        )

    def _keys(self) -> Tensor:
        """A row for each place, of length one, so that no place is like everything."""
        colors = self._colors.flatten(1)
        colors = (colors - colors.mean(1, keepdim=True)) / colors.std()
        y, x = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")
        where = torch.stack([y.flatten(), x.flatten()]).float() / ROWS * 2 - 1
        # On a sphere, near places and like colors have the largest products.
        rows = {"color": [colors], "place": [where], "color and place": [colors, where]}
        parts = torch.cat([*rows[self.likeness.value], torch.ones(1, ROWS * COLUMNS)])
        return F.normalize(parts, dim=0).T

    def _lit(self, look: Tensor) -> Tensor:
        light = (look / look.max()).view(1, 1, ROWS, COLUMNS)
        return self._street * (0.12 + 0.88 * F.interpolate(light, SIZE, mode="nearest")[0])

    def _marked(self, image: Tensor) -> Tensor:
        """The picture with a ring around the place that looks."""
        image = image.clone()
        top, left = (self.row.value - 1) * SIDE, (self.column.value - 1) * SIDE
        inside = image[:, top + 1 : top + SIDE - 1, left + 1 : left + SIDE - 1].clone()
        image[:, top : top + SIDE, left : left + SIDE] = MARK[:, None, None]
        image[:, top + 1 : top + SIDE - 1, left + 1 : left + SIDE - 1] = inside
        return image
