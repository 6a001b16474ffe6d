"""What growqr costs, each figure with a reference measured in the same run: `make bench`.

instance   an instance of its own for the run, and people who use it
bare       the reference cluster: a named actor that does nothing
setting    what every figure is given
commits    the commit floor
figures    medians, percentiles, the table and its JSON
accept turn doors jwt fan_out wake memory boot     one file per figure
"""

from __future__ import annotations
