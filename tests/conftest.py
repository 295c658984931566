"""One thread: the models are tiny, and threads that wait for each other are slower than none where cores are shared.

Which tests stay together when several processes share them: those of a file that wants something of the machine to itself
(one cluster of Ray a machine: a second would be taken for the first), those of one method on one model, and those that
read one process's findings. (pytest-xdist has marks for this, but they go unheard by pytest 9.2, where a test's id can no
longer be extended.)
"""

import os
import re

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

WHOLE_FILES = ("test_ray.py", "test_slurm.py", "test_site_browser.py")
ONE_MODEL = re.compile(r"test_methods\.py::\w+\[(?P<run>.+)]$")
RELOADS = re.compile(r"test_methods\.py::test_a_saved_adapter_")


def together(nodeid: str) -> str:
    """What a test shares a process with: all that have the same answer."""
    file = nodeid.partition("::")[0].rpartition("/")[2]
    if file in WHOLE_FILES or RELOADS.search(nodeid):
        return file
    one = ONE_MODEL.search(nodeid)
    return one["run"] if one else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return together(nodeid)

    return Together(config, log)
