"""What the server process of execute/process.py imports once, so that no run pays for it."""

import peft  # noqa: F401
import transformers  # noqa: F401
from transformers import (  # noqa: F401
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
)

import harness.run  # noqa: F401
