"""The signed distance map of an object, which the boundary loss is made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from segtutor.exercises.engine import Accepted, Case, Exercise, Mistake

STUB = '''
def distance_map(inside):
    """Signed distances of (H, W) pixels, in float32.

    inside: (H, W) of True and False, with at least one of each. Outside, the
    distance to the nearest pixel of the object. Inside, 1 minus the distance
    to the nearest pixel of the background, so that the object's rim is 0.
    """
    raise NotImplementedError
'''


def distance_map(inside):
    """Signed distances of (H, W) pixels, in float32."""

    def nearest(pixels):
        """Distance of every pixel of the map to the nearest of some pixels."""
        rows, columns = torch.meshgrid(*map(torch.arange, inside.shape), indexing="ij")
        every = torch.stack([rows, columns], -1).reshape(-1, 2).float()  # (H·W, 2)
        return torch.cdist(every, pixels.nonzero().float()).amin(1).reshape(inside.shape)

    return torch.where(inside, 1 - nearest(~inside), nearest(inside))


def cases(generator: torch.Generator) -> list[Case]:
    """Return objects with an inside, a hole, a corner, two parts."""
    row = torch.tensor([[0, 0, 1, 1, 1, 0, 0]]).bool()
    block = torch.zeros(7, 9, dtype=torch.bool)
    block[1:6, 2:7] = True
    ring = block.clone()
    ring[3, 4] = False
    corner = torch.zeros(5, 8, dtype=torch.bool)
    corner[2:, 5:] = True  # touches the picture's border
    made = [Case((row,)), Case((block,)), Case((ring,)), Case((corner,))]
    for height, width in ((6, 4), (5, 10)):
        spots = torch.rand(1, 1, height, width, generator=generator)
        inside = F.avg_pool2d(spots, 3, 1, 1)[0, 0] > 0.45
        inside[0, 0], inside[-1, -1] = True, False
        made.append(Case((inside,)))
    return made


def _nearest(pixels, p=2.0):
    rows, columns = torch.meshgrid(*map(torch.arange, pixels.shape), indexing="ij")
    every = torch.stack([rows, columns], -1).reshape(-1, 2).float()
    return torch.cdist(every, pixels.nonzero().float(), p=p).amin(1).reshape(pixels.shape)


def _sign(inside):
    return -distance_map(inside)


def _no_rim(inside):
    return torch.where(inside, -_nearest(~inside), _nearest(inside))


def _rim_on_both_sides(inside):
    return torch.where(inside, 1 - _nearest(~inside), _nearest(inside) - 1)


def _unsigned(inside):
    return torch.where(inside, _nearest(~inside) - 1, _nearest(inside))


def _outside_only(inside):
    return _nearest(inside)


def _inside_only(inside):
    return torch.where(inside, 1 - _nearest(~inside), 0.0)


def _exchanged(inside):
    return distance_map(~inside)


def _city_blocks(inside):
    return torch.where(inside, 1 - _nearest(~inside, 1.0), _nearest(inside, 1.0))


def _chessboard(inside):
    infinite = float("inf")
    return torch.where(inside, 1 - _nearest(~inside, infinite), _nearest(inside, infinite))


def _squared(inside):
    return torch.where(inside, 1 - _nearest(~inside) ** 2, _nearest(inside) ** 2)


def _border_is_background(inside):
    padded = F.pad(inside, (1, 1, 1, 1))
    return torch.where(inside, 1 - _nearest(~padded)[1:-1, 1:-1], _nearest(inside))


def _along_rows(inside):
    columns = torch.arange(inside.shape[1]).float()
    rows = []
    for line in inside:
        apart = (columns[:, None] - columns).abs()
        far = apart.new_tensor(float(inside.shape[1]))
        to_object = apart.where(line, far).amin(1)
        to_background = apart.where(~line, far).amin(1)
        rows.append(torch.where(line, 1 - to_background, to_object))
    return torch.stack(rows)


exercise = Exercise(
    name="distance_map",
    kind="function",
    minutes=20,
    difficulty=3,
    stub=STUB,
    hints=(
        "Write a helper that takes a mask and gives, for every pixel of the picture, the distance "
        "to the nearest True pixel. `mask.nonzero()` lists where these are; `torch.cdist` gives "
        "all distances between two lists of points.",
        "Use the helper twice: on the object, for the pixels outside, and on the background, for "
        "the pixels inside. `torch.where` puts the two together. A row 0 0 1 1 1 0 0 has to give "
        "2 1 0 −1 0 1 2.",
    ),
    solution=distance_map,
    why=(
        "The map is computed once from the labels, and the loss is the mean of probability times "
        "map. Far outside, probability is dear; deep inside, it earns. That is why the loss may "
        "be negative, and why it says nothing at the rim. For real pictures take "
        "`scipy.ndimage.distance_transform_edt`: comparing all pairs costs (H·W)²."
    ),
    cases=cases,
    accepted=(
        Accepted(
            _no_rim,
            "Your inner rim is −1, without the shift by 1: the map then jumps from 1 to −1 "
            "and has no zero. Both forms are in use; the authors' own code has the rim at 0.",
        ),
    ),
    mistakes=(
        Mistake(
            "boundary.sign",
            _sign,
            "All your signs are turned: probability outside the object has to cost, and inside it "
            "has to earn. Outside is positive.",
        ),
        Mistake(
            "boundary.two_rims",
            _rim_on_both_sides,
            "You took 1 off on both sides, so that the rim of the object and the background next "
            "to it are both 0. Outside, the nearest pixel of the object is at distance 1 or more.",
        ),
        Mistake(
            "boundary.unsigned",
            _unsigned,
            "Your distances inside have no sign. Then the loss would punish the object's middle "
            "as it punishes the background.",
        ),
        Mistake(
            "boundary.outside_only",
            _outside_only,
            "Inside the object your map is 0. The pixels there earn something for the loss, the "
            "more the deeper they lie: 1 minus the distance to the background.",
        ),
        Mistake(
            "boundary.inside_only",
            _inside_only,
            "Outside the object your map is 0, so false alarms would be free. There it is the "
            "distance to the nearest pixel of the object.",
        ),
        Mistake(
            "boundary.exchanged",
            _exchanged,
            "You exchanged object and background. `distance_transform_edt` of a mask measures "
            "from each True pixel to the nearest False one: for the outside it needs the mask "
            "negated.",
        ),
        Mistake(
            "boundary.city_blocks",
            _city_blocks,
            "You counted steps along rows and columns. A diagonal neighbor is √2 away, not 2.",
        ),
        Mistake(
            "boundary.chessboard",
            _chessboard,
            "You counted the steps of a chess king, to whom a diagonal neighbor is 1 away. Here "
            "it is √2.",
        ),
        Mistake(
            "boundary.squared",
            _squared,
            "Your distances are squared: take the root.",
        ),
        Mistake(
            "boundary.border",
            _border_is_background,
            "You treated what lies beyond the picture as background. The object may go on there; "
            "only pixels of the picture count.",
        ),
        Mistake(
            "boundary.rows",
            _along_rows,
            "You measured along rows only. The nearest pixel may lie above, below or askew.",
        ),
    ),
)
