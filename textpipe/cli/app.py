"""The table of verbs, and what happens around each: lazy import, one error message, an exit code.

What enters: ``sys.argv``. What leaves: an exit code (0; 2 usage; 3 bad input; 4 limit; 5 input/output; 130
interrupted). Only the module of the verb that runs is imported, so ``textpipe --help`` loads none of them. A failure
prints one message that names the thing and the cure; ``--debug`` anywhere on the line shows the traceback instead.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import typer

from textpipe.errors import ConfigError, LimitError, TextpipeError

__all__ = ["VERBS", "Verb", "run"]


class Verb(NamedTuple):
    """One row of ``textpipe --help``; ``module`` is a file of this package with ``command`` or ``app`` in it.

    ``goes_on`` is of those that keep what they had finished when they are interrupted, and go on from there.
    """

    name: str
    module: str
    summary: str
    goes_on: bool = False


VERBS = (
    Verb("crawl", "crawl", "Fetch a web site politely into WARC files.", goes_on=True),
    Verb(
        "clean", "clean", "Turn pages, HTML, JSONL or text into clean documents; count what is dropped.", goes_on=True
    ),
    Verb("train-vocab", "train_vocab", "Train a vocabulary and write tokenizer.json.", goes_on=True),
    Verb("vocab", "vocab", "Give a tokenizer more entries, or fewer."),
    Verb("encode", "encode", "Turn text into ids."),
    Verb("decode", "decode", "Turn ids into text."),
    Verb("inspect", "inspect", "Show what each stage of a tokenizer makes of a text."),
    Verb("compare", "compare", "Show where two tokenizers cut texts differently."),
    Verb("eval-vocab", "eval_vocab", "Measure how tokenizers cut texts, side by side."),
    Verb("convert", "convert", "Turn a tokenizer file into one of another format."),
    Verb("pack", "pack", "Encode documents into token shards for training."),
    Verb("pack-pairs", "pack_pairs", "Encode parallel text into aligned token shards."),
    Verb("align", "align", "Say which words of parallel text belong together, and print a lexicon."),
    Verb("plan", "plan", "Say what a training takes on a cluster: memory, days, cost, layouts that fit."),
    Verb("train", "train", "Train a GPT, BERT, Transformer or recurrent model.", goes_on=True),
    Verb("config", "config", "Write a commented configuration file to begin with."),
    Verb("evaluate", "evaluate", "Print how well a trained model knows texts: bits per byte, perplexity, loss."),
    Verb("predict", "predict", "Say what a fine-tuned encoder makes of texts."),
    Verb("generate", "generate", "Write text with a trained model."),
    Verb("translate", "translate", "Translate: write the targets of sources, with alignments and scores."),
    Verb("chat", "chat", "Talk with a trained model, a message a line."),
    Verb("summarize", "summarize", "Print the sentences that stand for a text."),
    Verb("export", "export", "Write a trained model as a folder that transformers loads."),
    Verb("report", "report", "Put a crawl, a corpus, a vocabulary and a run on one page."),
    Verb("doctor", "doctor", "Check this installation and the files you name."),
    Verb("demo", "demo", "Run the whole way on the bundled web site.", goes_on=True),
)

_HELP = """From a list of URLs to a trained language model, Korean and English first.

The verbs stand in pipeline order: what one writes, the next one reads.

\b
textpipe crawl https://example.org --contact me@example.org --out crawl
textpipe clean crawl --out corpus
textpipe train-vocab corpus --vocab-size 8000 --out vocab
textpipe pack corpus --tokenizer vocab --out shards
textpipe train gpt shards --out run
textpipe generate run --prompt "옛날에"
"""


_NAME = re.compile(r"(?<![\w.=/-])[a-z]+(?:_[a-z]+)+(?![\w=(/-]|\.\w)")  # and no part of a path


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"]
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warned
            app = _build(chosen, debug=debug)
            app(args=words, prog_name="textpipe")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return _interrupted(chosen)
    except Exception as error:  # from importing the verb itself, or a fault of our own
        return _failed(error, debug=debug)
    return 0


def _build(chosen: str | None, *, debug: bool) -> typer.Typer:
    app = typer.Typer(
        help=_HELP, no_args_is_help=True, add_completion=True, rich_markup_mode="rich", pretty_exceptions_enable=False
    )
    app.callback(epilog="Every verb explains itself: textpipe VERB --help. Add --debug for a traceback.")(_root)
    for verb in VERBS:
        if verb.name != chosen:
            app.command(verb.name, help=verb.summary)(_placeholder)
            continue
        module = importlib.import_module(f"textpipe.cli.{verb.module}")
        if hasattr(module, "app"):
            for info in module.app.registered_commands:
                info.help = _flowing(info.callback)
                info.callback = _guarded(info.callback, verb, debug=debug)
            app.add_typer(module.app, name=verb.name)
        else:
            app.command(verb.name, help=_flowing(module.command))(_guarded(module.command, verb, debug=debug))
    return app


def _flowing(command: Any) -> str:
    """A docstring whose paragraphs fit any width: their lines are joined, but for those of examples."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(text if "\b" in text else text.replace("\n", " ") for text in paragraphs)


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    # --version is answered before this module is loaded; the option stands here for the help text
    if version:
        raise typer.Exit(0)


def _placeholder() -> None:
    """Stands in the help table for a verb that was not asked for."""


def _guarded(function: Callable[..., Any], verb: Verb, *, debug: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(_interrupted(verb.name)) from None
        except typer.Exit:
            raise
        except Exception as error:
            raise typer.Exit(_failed(error, debug=debug, options=_options_of(function))) from None

    return guarded


def _warned(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"textpipe: warning: {message}", file=sys.stderr)


def _interrupted(chosen: str | None) -> int:
    goes_on = any(verb.goes_on for verb in VERBS if verb.name == chosen)
    more = ": what was finished is kept; the same command goes on from there" if goes_on else ""
    print(f"\ninterrupted{more}", file=sys.stderr)
    return 130


def _failed(error: BaseException, *, debug: bool, options: Mapping[str, str] = MappingProxyType({})) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, BrokenPipeError):  # the reader of our output has gone: nobody to tell
        sys.stderr.close()
        return 0
    code, message = _explain(error, options)
    print(f"textpipe: error: {message}", file=sys.stderr)
    return code


def _options_of(function: Callable[..., Any]) -> dict[str, str]:
    """The settings of a verb, each with its option."""
    options = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if "Argument" not in f"{parameter.annotation} {type(parameter.default).__name__}":
            declared = getattr(parameter.default, "param_decls", None) or ()
            own = next((text for text in declared if text.startswith("--")), None)
            options[name] = own.partition("/")[0] if own else "--" + name.replace("_", "-")
    return options


def _message(error: TextpipeError, options: Mapping[str, str]) -> str:
    """What an error says, with options for settings where it tells the place and the cure."""
    text = str(error)
    if error.where is not None and error.where in options:
        text = options[error.where] + text.removeprefix(error.where)
    if error.hint is not None and not isinstance(error, ConfigError):  # which may speak of the keys of a file
        text = text.removesuffix(error.hint) + _with_options(error.hint, options)
    return text


def _with_options(text: str, options: Mapping[str, str]) -> str:
    """Text in which the settings are options; a name of a single word may be a word, and stays."""
    return _NAME.sub(lambda name: options.get(name[0], name[0]), text)


def _explain(error: BaseException, options: Mapping[str, str]) -> tuple[int, str]:
    if isinstance(error, TextpipeError):
        return error.exit_code, _message(error, options)
    if isinstance(error, MemoryError):
        return LimitError.exit_code, "out of memory; use smaller inputs, fewer workers or a smaller batch"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text = error.strerror or str(error)
        return 5, f"{where}{_with_options(text, options)}"
    fault = f"{type(error).__name__}: {error}"
    return 1, f"this is a fault of textpipe itself ({fault}); run it again with --debug and report what it prints"
