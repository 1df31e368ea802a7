"""Which change of a picture leaves its labels true?"""

from __future__ import annotations

from segtutor.exercises.engine import Exercise, Mistake

STUB = """
harmless = [
    None,  # 1: True if the label map, changed alike, is still true
    None,  # 2
    None,  # 3
    None,  # 4
    None,  # 5
    None,  # 6
    None,  # 7
    None,  # 8
]
"""


def harmless():
    """Ask of each: would an annotator who gets the changed picture draw the changed labels?"""
    mirrored_sides = False  # left and right are what the classes mean
    from_above = True  # there is no upside down
    by_color = False  # color is what tells the classes apart
    light = True  # the things stay what they are
    return [
        True,  # a mirrored street
        mirrored_sides,  # lanes
        from_above,  # a satellite picture
        mirrored_sides,  # letters
        mirrored_sides,  # lungs
        light,  # dusk
        by_color,  # fruit
        from_above,  # cells
    ]


def _changed(*numbers: int) -> list[bool]:
    return [right != (i in numbers) for i, right in enumerate(harmless(), 1)]


def _mirrors_never_harm():
    return _changed(2, 4, 5)


def _lanes_alone():
    return _changed(4, 5)


def _letters_alone():
    return _changed(2, 5)


def _lungs_alone():
    return _changed(2, 4)


def _colors_never_harm():
    return _changed(7)


def _light_harms():
    return _changed(6)


def _turns_harm():
    return _changed(3, 8)


def _mirrors_always_harm():
    return _changed(1)


def _all_harmless():
    return [True] * 8


def _turned_round():
    return _changed(*range(1, 9))


exercise = Exercise(
    name="harmless",
    kind="value",
    minutes=5,
    difficulty=1,
    stub=STUB,
    hints=(
        "Imagine an annotator who sees only the changed picture. Would the annotator draw what "
        "you get when you change the label map alike?",
        "Watch for classes whose names say where something is, which way round it is, or what "
        "color it has: four of the eight.",
    ),
    solution=harmless,
    why=(
        "An augmentation is a statement about the task: *this does not matter here*. Left and "
        "right do not matter to a road, and are all that tells a left lung from a right one; in a "
        "mirrored picture you would have to exchange the two classes as well. Nothing in the "
        "pixels tells you. You have to know what the classes mean."
    ),
    mistakes=(
        Mistake(
            "aug.mirror_sides",
            _mirrors_never_harm,
            "You let every mirror pass. Look at 2, 4 and 5 again: after the flip, what was the "
            "left lane lies on the right, and its label still says left.",
        ),
        Mistake(
            "aug.mirror_letters_lungs",
            _lanes_alone,
            "The lanes are right. By the same thought, what happens to a b (4) and to a left "
            "lung (5) in the mirror?",
        ),
        Mistake(
            "aug.mirror_lanes_lungs",
            _letters_alone,
            "The letters are right. By the same thought, what happens to the left lane (2) and to "
            "the left lung (5) in the mirror?",
        ),
        Mistake(
            "aug.mirror_lanes_letters",
            _lungs_alone,
            "The lungs are right. By the same thought, what happens to the left lane (2) and to a "
            "b (4) in the mirror?",
        ),
        Mistake(
            "aug.color_is_class",
            _colors_never_harm,
            "All right but 7. The colors are changed so far that red becomes green: what then "
            "tells ripe from unripe?",
        ),
        Mistake(
            "aug.light",
            _light_harms,
            "All right but 6. At dusk a road is a road and a car a car: that the network should "
            "learn so is the reason for the change.",
        ),
        Mistake(
            "aug.no_up",
            _turns_harm,
            "All right but 3 and 8. A picture from above, or through a microscope, has no up and "
            "down: every turn of it could have been taken so.",
        ),
        Mistake(
            "aug.mirror_street",
            _mirrors_always_harm,
            "All right but 1. A road in the mirror is a road, a person a person: in none of these "
            "class names is there a left or right.",
        ),
        Mistake(
            "aug.all_harmless",
            _all_harmless,
            "You let everything pass. In four of the eight the changed labels are false: begin "
            "with 2.",
        ),
        Mistake(
            "aug.turned_round",
            _turned_round,
            "All eight are the wrong way round. True stands for labels that are still true.",
        ),
    ),
)
