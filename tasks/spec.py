"""The contract of a task: what is solved, where its rows come from, how it is scored. Declarations only."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

TaskKind = Literal["classify", "regress", "choice", "generate", "image"]
Row = Mapping[str, Any]
"""One example: the task's text fields, `label` (an int class index, or a float), `part` where a split has parts."""
Rows = Sequence[Row]


@dataclass(frozen=True)
class Recipe:
    """How one run trains; every field is part of the run's identity."""

    batch_size: int = 16
    epochs: float = 3.0
    max_steps: int | None = None
    """If given, it replaces `epochs`."""
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    """method -> the peak rate that this recipe publishes for it; other methods use their own default."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """method -> the fields of its config that this recipe publishes for it; the user's own win."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_ratio: float = 0.06
    weight_decay: float = 0.1
    max_grad_norm: float | None = 1.0
    max_length: int = 128
    """Tokens; longer inputs are cut, and how many were is recorded."""
    warmup_steps: int | None = None
    """If given, it replaces `warmup_ratio`."""
    gradient_accumulation: int = 1
    """A batch goes through the model in so many parts; the gradient is that of the whole batch."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, more time, the same gradients."""
    mask_prompt: bool = True
    """Generation and choice: whether the loss leaves out the prompt's tokens (False: `train_on_inputs`)."""
    image_size: int | None = None
    """Images: pixels a side after a direct resize."""
    normalise: Literal["imagenet", "half", "none"] | None = None
    """Images: minus mean, over standard deviation, of ImageNet; of (0.5, 0.5, 0.5) twice; or the plain range 0..1."""
    dropout: float | None = None
    """Of the base model, in place of what its own config says; a method's dropout is its own business."""
    group_by_length: bool = False
    """Batches of rows of similar length: less padding; the order is drawn from the seed all the same."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: frozen matrices in bf16, everything that trains and all vectors in fp32, matrix products autocast to bf16."""
    select: Literal["last", "best"] = "last"
    """Which weights are reported: the last ones, or those of the best epoch on a validation part
    carved from train. The reported split never chooses."""
    report: Literal["eval", "validation"] = "eval"
    """What is scored at the end: the reported split, or the part carved from train, on which settings are chosen."""
    centre_labels: bool = False
    """A regression learns the labels less their training mean, which its outputs then get back."""
    eval_before: bool = False
    """Score the reported split before the first step too: what the model can do without training."""
    eval_every_epoch: bool = False
    """Score the reported split after each epoch too: for the curve, never for a choice."""
    max_train: int | None = None
    max_eval: int | None = None
    distributed: str | None = None
    """ddp:N or fsdp:N: the run goes over N processes of its machine, each of which takes its part of every batch."""

    BY_METHOD: ClassVar[tuple[str, ...]] = ("learning_rates", "settings")
    """Fields of which a run takes its own method's part, as its learning rate and its config."""
    IF_SET: ClassVar[tuple[str, ...]] = ("distributed",)
    """Fields that a record holds only if they are set, so that runs from before there were any keep their keys."""

    def recorded(self) -> dict[str, Any]:
        """Its fields as a record holds them, but for the learning rate."""
        values = asdict(self)
        left_out = {*self.BY_METHOD, *(name for name in self.IF_SET if values[name] is None)}
        return {name: value for name, value in values.items() if name not in left_out}


RowOf = Callable[[Mapping[str, Any]], Row | None]
"""A row as published -> our row; None leaves it out (counted, and named in a note). Raises ValueError or KeyError,
its message a sentence, for one that cannot be."""


@dataclass(frozen=True)
class Hub:
    """A data set on the hub. `revision` None: not pinned in the declaration; the one that was loaded is recorded."""

    id: str
    config: str | tuple[str, ...] | None = None
    """Several: the rows of each, one configuration after the other."""
    revision: str | None = None
    row: RowOf | None = None
    """None: the columns are the task's fields and `label_column`."""


@dataclass(frozen=True)
class Table:
    """Delimited text files as published: `files` maps a split's part to the path below the data folder."""

    files: Mapping[str, str]
    columns: Mapping[str, str | int]
    """Our field -> the file's column name, or its position in a file without a header."""
    header: bool = True
    label_names: Mapping[str, int] | None = None
    """The label as written in the file -> class index; None: it is the index (or the number) itself."""
    skip_short: bool = False
    """Leave out lines with too few columns and count them, where the published sizes do; else they are an error."""


@dataclass(frozen=True)
class Json:
    """JSON files as published: one list of objects, or an object a line. `files` as in Table."""

    files: Mapping[str, str]
    row: RowOf


@dataclass(frozen=True)
class Folder:
    """Images in folders: `lists` maps a split's part to a text file of `<path of an image> <class index>` lines,
    both paths below the data folder."""

    lists: Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """Reads the answer out of generated text. `find` gives it as written, or None; `same(found, gold)` compares."""

    name: str
    find: Callable[[str], str | None]
    same: Callable[[str, str], bool] = operator.eq


@dataclass(frozen=True)
class Generation:
    """How answers are generated; greedy with one beam, beam search with more, never sampled."""

    max_new_tokens: int
    beams: int = 1


Splits = Mapping[str, tuple[str, ...]]
"""{"train": ("train",), "eval": ("validation_matched", "validation_mismatched")}: hub split names, also the keys of `files`.
"eval" is the split that is reported: GLUE's validation, elsewhere the test set.
A split of several parts names each row's part by what follows the last underscore: matched, mismatched."""


@dataclass(frozen=True)
class Task:
    """One task. Rows hold `fields` and
    classify, regress: text in each field, in the order in which the model reads them, and `label`;
    image: `image` (a path, encoded bytes, a PIL image, or a uint8 array of (height, width) or (height, width, 3)) and `label`;
    generate: what `prompt` and `target` name, and `answer`, the gold answer as text;
    choice: what `prompt` names, `options` (texts) and `label`, the index of the right one; where the options stand in
    the middle of a sentence, `contexts` takes the prompt's place: what stands before each option's scored text."""

    name: str
    suite: str
    kind: TaskKind
    title: str
    url: str
    fields: tuple[str, ...]
    metrics: tuple[str, ...]
    """The first is the one that averages and rankings use."""
    splits: Splits
    protocol: str
    version: str
    recipes: Mapping[str, Recipe]
    """preset -> recipe"""
    labels: tuple[str, ...] = ()
    """classify, image: class names in index order; empty for the other kinds."""
    label_column: str = "label"
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Published rows of each split part, checked at load, before any is left out."""
    hub: Hub | None = None
    train_hub: Hub | None = None
    """Where the training rows come from another data set than the reported ones."""
    table: Table | None = None
    json: Json | None = None
    train_json: Json | None = None
    """Where the training file has other columns than the reported one."""
    first: Mapping[str, int] = field(default_factory=dict)
    """Split part -> only so many of its rows are used: the first ones that `row` does not leave out."""
    folder: Folder | None = None
    members: tuple[str, ...] = ()
    """A joint task: the names of the tasks whose training rows it joins and whose reported rows it scores apart.
    Its rows carry `part`, the member's name; its main score is the flat mean over members. `<name>:<a>+<b>`
    names the same task with only these members."""
    validation: tuple[str, ...] = ()
    """Parts of the train split that are held out when something is chosen, and trained on otherwise. Empty: a
    part is carved from train with a fixed seed."""
    models: Mapping[str, str] = field(default_factory=dict)
    """preset -> the base model of this task's protocol, where it is not the suite's."""
    group: str = ""
    """Of tasks that a suite averages by group."""
    prompt: str = ""
    """generate, choice: a template over the row's fields, `Question: {question}\\nAnswer:`; what the model is given."""
    eval_prompt: str = ""
    """generate: what the model is given of the reported rows, where a published protocol trains with another prompt."""
    target: str = ""
    """generate: a template of what training appends to the prompt, before the end of text. (choice: a space and the
    right one of the row's `options`.)"""
    generation: Generation | None = None
    """generate: the settings of scoring; the row's `answer` is the gold answer that `rules` compare with."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """generate: metric -> the rule that it counts by"""
    number: Callable[[str], float | None] | None = None
    """generate: what a text says as a class index or as a value, None if it says none. Instead of `rules`: the metrics
    compare what the generated text says with what the row's `answer` does."""
    only_encoder_decoders: bool = False
    """generate: a protocol that is published for encoder-decoders alone"""
    rows_of: Task | None = None
    """Another task whose rows these are, from wherever it has them; each passes through `row`."""
    row: Callable[[Row], Row] = dict
    generate: Callable[[], Mapping[str, Rows]] | None = None
    """For a suite that the project makes: () -> {"train": rows, "eval": rows}, always the same."""

    @property
    def metric(self) -> str:
        return self.metrics[0]


@dataclass(frozen=True)
class Suite:
    """Tasks that are read together. `average` names those whose mean is the suite's score."""

    name: str
    title: str
    tasks: tuple[str, ...]
    average: tuple[str, ...]
    models: Mapping[str, str]
    """preset -> the base model used when none is named"""
    presets: Mapping[str, str] = field(default_factory=dict)
    """preset -> the suite that serves it, where that is another one (mini data)."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Group -> its tasks, where the mean of the groups' means is published beside the flat mean."""
