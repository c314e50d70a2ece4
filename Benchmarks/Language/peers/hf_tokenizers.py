"""Times Hugging Face's Rust tokenizers on one thread.

usage: hf_tokenizers.py TOKENIZER.json TEXTS.jsonl [REPEAT]

TEXTS has a JSON string on each line. Prints as JSON the seconds of the fastest of its ways to encode: text by text, and as
a batch without and with offsets; and the number of tokens.
"""
import json
import os
import statistics
import sys
import time

os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
from tokenizers import Tokenizer, __version__  # noqa: E402


def median(work, repeat):
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    texts = [json.loads(line) for line in open(sys.argv[2])]
    repeat = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    tokens = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    one = median(lambda: [tokenizer.encode(text, add_special_tokens=False) for text in texts], repeat)
    ids = median(lambda: tokenizer.encode_batch_fast(texts, add_special_tokens=False), repeat)
    offsets = median(lambda: tokenizer.encode_batch(texts, add_special_tokens=False), repeat)
    print(json.dumps(
        {"ids": min(one, ids, offsets), "offsets": min(one, offsets), "tokens": tokens, "version": __version__}))


main()
