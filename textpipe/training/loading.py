"""A trained model from disk, wherever it comes from.

What enters: a run's folder, one of its checkpoints, or a folder of `transformers`. What leaves: the model ready to
write, its tokenizer, and facts. A checkpoint's files are compared with their sha256, its tokenizer with the one the
model was trained with; nothing that is read is run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.errors import ConfigError, InputError, StateError
from textpipe.nn.shapes import EncoderConfig, GptConfig
from textpipe.training.checkpoints import Checkpoint, find_checkpoint, list_checkpoints

if TYPE_CHECKING:
    from textpipe.formats.translation_folders import Languages
    from textpipe.interchange.importing import ModelFolder
    from textpipe.tokenizer import Tokenizer

__all__ = ["check_tokenizer", "find_model", "load_model", "newest_checkpoints"]


def find_model(path: str | os.PathLike[str], *, best: bool = False) -> Path:
    """The checkpoint, or the folder of `transformers`, that is meant by ``path``; torch is not needed for this.

    Raises
    ------
    InputError
        when there is neither.
    """
    folder = Path(path)
    if (folder / "config.json").is_file() and not (folder / "state.json").exists():
        if best:
            raise InputError("the best of a run's checkpoints is asked for, and this is one model", where=folder)
        return folder
    return find_checkpoint(folder, best=best)


def newest_checkpoints(run: str | os.PathLike[str], count: int) -> list[Path]:
    """The newest checkpoints of a run, oldest first.

    Raises
    ------
    InputError
        when it has fewer, or is no run.
    """
    found = list_checkpoints(Path(run) / "checkpoints")[-count:]
    if len(found) < count:
        raise InputError(
            f"{len(found)} checkpoints where the mean of {count} is asked for",
            where=run,
            hint="train with --keep-checkpoints of at least that",
        )
    return found


def check_tokenizer(found: str, expected: str, *, where: object) -> None:
    """Refuse a tokenizer that is not the one a model was trained with, showing both digests."""
    if found != expected:
        raise StateError(
            f"another tokenizer: sha256 {found}, where the model was trained with {expected}",
            where=where,
            hint="ids would mean other texts; use the tokenizer.json of the run itself",
        )


def load_model(
    path: str | os.PathLike[str],
    *,
    best: bool = False,
    average: int = 1,
    device: str = "cpu",
    tokenizer: Tokenizer | None = None,
    languages: Languages = (None, None),
) -> tuple[Any, Tokenizer, dict[str, Any]]:
    """A trained model, its tokenizer, and facts about it.

    The facts are ``architecture``, ``eos_id`` and ``borders``: what :class:`~textpipe.generation.TextWriter` is told
    beside them, among it the source's tokenizer where it is another. A run also has ``step``, ``val_loss``,
    ``val_bits_per_byte``, ``document_mask``, ``mask_share`` and ``history``: how many turns of a dialogue stood before
    a message at most. Where a running mean of the weights was kept, it is what is loaded.

    Parameters
    ----------
    path : a run folder, a checkpoint in it, or a folder of `transformers`.
    best : the checkpoint that did best on held-out data instead of the newest.
    average : the mean of the weights of so many newest checkpoints of a run (Vaswani et al. 2017 take five).
    tokenizer : use this one; it must be the model's own. Read from the folder when absent.
    languages : of sources and of targets, where a folder of `transformers` holds a model of many, or a run one of two.

    Raises
    ------
    InputError
        when the run has fewer checkpoints than are averaged.
    ConfigError
        when the model has no tokens for these languages.
    StateError
        when the tokenizer is not the one the model was trained with.
    """
    found = find_model(path, best=best)
    taken = newest_checkpoints(path, average) if average > 1 else [found]
    if (found / "config.json").is_file():
        from textpipe.interchange.importing import ModelFolder

        model, own, facts = _from_folder(ModelFolder.open(found, languages=languages))
        if tokenizer is not None:
            check_tokenizer(tokenizer.sha256, own.sha256, where=found)
    else:
        model, own, facts = _from_checkpoint(Checkpoint.open(found), tokenizer)
        if average > 1:
            from textpipe.training.averaging import mean_weights

            opened = [Checkpoint.open(checkpoint) for checkpoint in taken]
            model.load_state_dict(mean_weights([each.tensors(each.weights_name) for each in opened]))
        if languages != (None, None):
            model = _facing(model, languages, found)
    return model.to(device).eval(), own, facts


def _facing(model: Any, languages: Languages, where: Path) -> Any:
    """A model of two languages from the one to the other; either tells which."""
    names = getattr(model.config, "languages", None)
    if names is None:
        raise ConfigError("a run has the languages of its pairs", where=where, hint="name no language")
    unknown = next((name for name in languages if name is not None and name not in names), None)
    if unknown is not None:
        raise ConfigError(f"no language {unknown!r} in this model", where=where, allowed=" or ".join(names))
    if languages[0] == languages[1]:
        raise ConfigError(f"{languages[0]!r} is to be translated into itself", where=where, hint="name two languages")
    target = 1 - names.index(languages[0]) if languages[1] is None else names.index(languages[1])
    return model.facing(1 - target, target)


def _from_checkpoint(checkpoint: Checkpoint, tokenizer: Tokenizer | None) -> tuple[Any, Tokenizer, dict[str, Any]]:
    from textpipe.tokenizer import Tokenizer

    identity = checkpoint.config.data
    if tokenizer is None:
        tokenizer = Tokenizer.from_file(str(checkpoint.path / "tokenizer.json"))
    check_tokenizer(tokenizer.sha256, identity.tokenizer_sha256, where=checkpoint.path)
    borders: dict[str, Any] = {"eos_id": identity.eos_id}
    if checkpoint.config.start is not None:
        borders |= {"ends": checkpoint.config.start.ends, "at_limit": checkpoint.config.start.at_limit}
    if identity.begin_id is not None:
        borders |= {"before": (identity.begin_id, *identity.before_target), "before_source": identity.before_source}
        borders["never"] = tuple({identity.begin_id} - {identity.eos_id})  # no target of training has it
    if identity.source_tokenizer_sha256 is not None:
        source = Tokenizer.from_file(str(checkpoint.path / "source-tokenizer.json"))
        check_tokenizer(source.sha256, identity.source_tokenizer_sha256, where=checkpoint.path)
        end = source.token_to_id(tokenizer.id_to_token(identity.eos_id) or "")
        borders |= {"source_tokenizer": source, "after_source": (end,)}
    facts = {
        "architecture": checkpoint.config.architecture,
        "eos_id": identity.eos_id,
        "borders": borders,
        "history": identity.history,
        "step": checkpoint.step,
        "val_loss": checkpoint.scores.get("val_loss"),
        "val_bits_per_byte": checkpoint.scores.get("val_bits_per_byte"),
        "document_mask": checkpoint.config.train.document_mask,
        "mask_share": checkpoint.config.train.mask_share,
    }
    from textpipe.nn.architectures import new_model  # from here on torch is needed

    model = new_model(checkpoint.config.model)
    checkpoint.load_weights(model, averaged=True)
    return model, tokenizer, facts


def _from_folder(folder: ModelFolder) -> tuple[Any, Tokenizer, dict[str, Any]]:
    from textpipe.data.framing import ids_after, ids_before
    from textpipe.training.run_config import architecture_of

    architecture = architecture_of(folder.shape)
    borders: dict[str, Any] = {"eos_id": folder.eos_id, "ends": folder.ends, "at_limit": folder.at_limit}
    if architecture == "gpt":
        borders["before"] = ids_before(folder.tokenizer)
    elif not isinstance(folder.shape, EncoderConfig):
        source = folder.source_tokenizer
        frame = folder.frame()
        borders |= {"before_source": frame.before_source, "after_source": ids_after(source), "never": folder.never}
        borders |= {"before": (folder.begin_id, *frame.before_target), "source_tokenizer": source}
    if not isinstance(folder.shape, EncoderConfig):  # an encoder writes nothing
        _check_written(folder)
    eos_id = folder.eos_id
    if eos_id is None:
        eos_id = next(iter(ids_after(folder.tokenizer)), None)
    return folder.model(), folder.tokenizer, {"architecture": architecture, "eos_id": eos_id, "borders": borders}


def _check_written(folder: ModelFolder) -> None:
    """Refuse a folder that does not say what writing needs, or names ids that its tokenizer does not have."""
    entries = folder.shape.vocab_size
    begin = () if isinstance(folder.shape, GptConfig) else (folder.begin_id,)
    forced = () if folder.forced_id is None else (folder.forced_id,)
    for key, ids in (
        ("eos_token_id", (folder.eos_id,)),
        ("decoder_start_token_id", begin),
        ("forced_bos_token_id", forced),
        ("forced_eos_token_id", folder.at_limit),
    ):
        for found in ids:
            if found is None:
                raise InputError(f"config.json names no {key}", where=folder.path, hint="add it: writing needs it")
            if found >= entries:
                raise InputError(
                    f"{key} is {found}, no token of this model", where=folder.path, allowed=f"0 … {entries - 1}"
                )
