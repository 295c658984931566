"""Methods of the literature that are not here, and why: what the papers and codes at hand leave open, or what the contract
cannot give. An asked-for name is answered with its reason instead of a guess."""

from __future__ import annotations

ABSENT = {
    "arrow": "it routes between LoRAs that were trained on other tasks, which a run on one task does not have",
    "bilora": "its singular values learn from a second batch of another part of the training rows within the same step, "
    "which the loop does not give",
    "dvpt": "its paper and its published code describe three different networks",
    "lamda": "how its projections start is not in its published code, and the paper's rule could not be read",
    "lora-ggpo": "the published paper and its code became lora-mgpo, which is here; the first version's formula could not "
    "be read",
    "pmss": "how it selects the skeleton, which is all that separates it from curlora, could not be read",
    "qalora": "it needs a base that GPTQ has quantised in groups",
    "tinytl": "its lite residual modules are convolutions for mobile image networks, larger than a transformer's own block; "
    "what is left of it there is bitfit",
    "warp": "it trains a verbaliser on the pretrained masked-language-model head, which a method is not given; without it, "
    "it is prompt-tuning",
}
"""Id in the literature -> reason, as the rest of a sentence"""
