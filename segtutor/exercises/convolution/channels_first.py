"""From a picture as files hold it to a tensor as PyTorch wants it."""

from __future__ import annotations

import torch

from segtutor.exercises.engine import Case, Exercise, Mistake

STUB = '''
def channels_first(picture):
    """picture (H, W, C), as read from a file -> (C, H, W)."""
    raise NotImplementedError
'''


def channels_first(picture):
    """Move the channel axis to the front; the other two keep their order."""
    return picture.permute(2, 0, 1)


def cases(generator: torch.Generator) -> list[Case]:
    """Return pictures whose three sizes differ, of bytes and of floats."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randint(0, 256, shape, generator=generator).to(torch.uint8)

    return [
        Case((torch.arange(24).reshape(2, 4, 3).to(torch.uint8),)),
        Case((draw(5, 2, 3),)),
        Case((draw(4, 7, 3).float() - 100,)),
        Case((draw(3, 4, 5),)),
        Case((torch.rand(6, 5, 2, generator=generator),)),
        Case((draw(4, 4, 4),)),  # shapes alone tell nothing here
    ]


def _viewed(picture):
    height, width, channels = picture.shape
    return picture.reshape(channels, height, width)


def _axes_reversed(picture):
    return picture.permute(2, 1, 0)


def _unchanged(picture):
    return picture


def _batched(picture):
    return picture.permute(2, 0, 1)[None]


def _channels_reversed(picture):
    return picture.permute(2, 0, 1).flip(0)


def _upside_down(picture):
    return picture.permute(2, 0, 1).flip(1)


def _rescaled(picture):
    picture = picture.permute(2, 0, 1)
    return picture / 255 if picture.dtype == torch.uint8 else picture


def _all_rescaled(picture):
    return picture.permute(2, 0, 1) / 255


def _channels_second(picture):
    return picture.permute(0, 2, 1)


exercise = Exercise(
    name="channels_first",
    kind="function",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "There are two families of methods. `view` and `reshape` keep the order in which the "
        "numbers lie in memory and count them off anew; `permute` and `movedim` keep every number "
        "with its pixel and rename the axes. Which one does this need?",
        "In `permute` you list, for each new axis in turn, which old axis it is. The old axes are "
        "0 (rows), 1 (columns), 2 (channels); the new order is channels, rows, columns.",
    ),
    solution=channels_first,
    why=(
        "The number at row r, column c, channel k has to be found at `[k, r, c]` afterwards. "
        "`permute` promises this. `reshape` promises only that the numbers, read one after the "
        "other, stay in the same order, so red, green and blue of one pixel end up as three "
        "neighbors in one channel."
    ),
    cases=cases,
    mistakes=(
        Mistake(
            "conv.hwc_view",
            _viewed,
            "You used `view` or `reshape`. The shape is right and the picture is scrambled: the "
            "numbers were counted off anew, three neighbors from the red, green and blue of one "
            "pixel. Show channel 0 as a picture and you see it. The axes have to change places.",
        ),
        Mistake(
            "layout.axes_reversed",
            _axes_reversed,
            "The channels are in front, but rows and columns have changed places: your picture "
            "lies on its side, mirrored. `.T` and `permute(2, 1, 0)` do that.",
        ),
        Mistake(
            "layout.unchanged",
            _unchanged,
            "The picture came back as it was. `permute` and its relatives do not change a tensor, "
            "they return a new view: is the returned one what you return?",
        ),
        Mistake(
            "layout.batched",
            _batched,
            "The order is right, and there is one axis too many in front. A batch axis is added "
            "later, when pictures are stacked; here (C, H, W) is asked for.",
        ),
        Mistake(
            "layout.channels_reversed",
            _channels_reversed,
            "The axes are right, but the channels come in reverse order: red and blue have changed "
            "places. OpenCV reads blue first; the pictures here keep the order they have.",
        ),
        Mistake(
            "layout.upside_down",
            _upside_down,
            "The axes are right, but the picture stands on its head: the rows come in reverse "
            "order. Row 0 is the top row before and after.",
        ),
        Mistake(
            "layout.rescaled",
            _rescaled,
            "The order is right, but you also divided bytes by 255, as torchvision's `ToTensor` "
            "does. Here every number stays what it is.",
        ),
        Mistake(
            "layout.all_rescaled",
            _all_rescaled,
            "The order is right, but you also divided by 255. Here every number stays what it is.",
        ),
        Mistake(
            "layout.channels_second",
            _channels_second,
            "You exchanged the last two axes, so the channels stand in the middle. They have to "
            "come first, before the rows.",
        ),
    ),
)
