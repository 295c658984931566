"""One thread: the models are tiny, and threads that wait for each other are slower than none where cores are shared."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
