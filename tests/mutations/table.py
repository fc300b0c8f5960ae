"""The planted bugs: where, what stands there, what a careless hand would write, and which test must turn red."""

from __future__ import annotations

from tests.mutations.judgement import JUDGEMENT
from tests.mutations.references import REFERENCES
from tests.mutations.sampling import SAMPLING
from tests.mutations.workbench import WORKBENCH

MUTATIONS = (*REFERENCES, *SAMPLING, *WORKBENCH, *JUDGEMENT)
