"""Figures of annotators: accuracy, confusion, skill adjusted for difficulty, time and cost. For people to act on.

Nobody is their own judge, nobody is ranked, and on too little data a reason takes the place of a figure.
"""

from __future__ import annotations

from labelloop.annotators.accuracy import AnnotatorFigure, assess
from labelloop.annotators.confusion import confusions
from labelloop.annotators.rows import annotator_rows
from labelloop.annotators.skill import Skill, skills
from labelloop.annotators.work import Work, accepted_answers, work_of

__all__ = [
    "AnnotatorFigure",
    "Skill",
    "Work",
    "accepted_answers",
    "annotator_rows",
    "assess",
    "confusions",
    "skills",
    "work_of",
]
