"""Data sets of the real world, read from their true layout on a disk."""

from segtutor.data.formats.ade20k import ADE20K
from segtutor.data.formats.base import Pairs
from segtutor.data.formats.camvid import CAMVID_CLASSES, CamVid, color_table
from segtutor.data.formats.cityscapes import CITYSCAPES_CLASSES, Cityscapes
from segtutor.data.formats.coco_stuff import COCOStuff
from segtutor.data.formats.files import FileError
from segtutor.data.formats.folder import Folder
from segtutor.data.formats.pets import Pets
from segtutor.data.formats.polygons import Polygons
from segtutor.data.formats.voc import VOC, VOC_CLASSES

__all__ = [
    "ADE20K",
    "CAMVID_CLASSES",
    "CITYSCAPES_CLASSES",
    "VOC",
    "VOC_CLASSES",
    "COCOStuff",
    "CamVid",
    "Cityscapes",
    "FileError",
    "Folder",
    "Pairs",
    "Pets",
    "Polygons",
    "color_table",
]
