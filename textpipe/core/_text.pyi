NFC: int
NFD: int
NFKC: int
NFKD: int
LOWERCASE: int
GPT2: int
WHITESPACE: int
WHITESPACE_SPLIT: int
WHOLE: int
LETTER: int
NUMBER: int
SPACE: int
WORD: int
NUMERIC: int
UNICODE_VERSION: str

def surrogate_error(text: str, where: str | None = None) -> Exception: ...
def normalize_text(form: int, text: str) -> str: ...
def normalize_with_sources(form: int, text: str) -> tuple[str, list[int]]: ...
def cut(grammar: int, text: str) -> list[int]: ...
def classes_of(text: str) -> bytes: ...

class AddedMatcher:
    def __init__(self, tokens: list[tuple[str, int, bool, bool, bool, bool]]) -> None: ...
    def split(self, text: str, skip_special: bool = False) -> list[tuple[int | None, int, int]]: ...
