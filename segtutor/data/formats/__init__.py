"""Data sets of the real world, read from their true layout on a disk."""

from segtutor.data.formats.cityscapes import CITYSCAPES_CLASSES, Cityscapes
from segtutor.data.formats.files import FileError
from segtutor.data.formats.folder import Folder
from segtutor.data.formats.voc import VOC, VOC_CLASSES

__all__ = ["CITYSCAPES_CLASSES", "VOC", "VOC_CLASSES", "Cityscapes", "FileError", "Folder"]
