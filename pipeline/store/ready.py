"""Imported by the process that workers are forked from: what they need is there when they start.

They share the memory of it, too. With rules that are not our own each makes an extractor itself.
"""

import gc

from pipeline.startup import start_quickly

start_quickly()

from pipeline import audit  # noqa: E402
from pipeline.extract import extractor_for  # noqa: E402

__all__ = ["audit"]

extractor_for(())
gc.freeze()  # looking for garbage among it would copy what is shared
